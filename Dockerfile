# docker build -t avclips .
# docker run --rm -v "$PWD/data:/data" avclips general --data-dir /data/avqa
# docker run --rm -p 127.0.0.1:8642:8642 -v "$PWD/data:/data" avclips explore /data/avqa --host 0.0.0.0
FROM python:3.11-slim

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1

COPY pyproject.toml README.md LICENSE requirements*.txt /opt/avclips/
COPY avclips /opt/avclips/avclips
RUN pip install "/opt/avclips[scale,explore,report]" && rm -rf /opt/avclips

# Files are then those of whoever starts it: docker run --user "$(id -u):$(id -g)".
RUN useradd --create-home --uid 1000 avclips && mkdir /data && chown avclips /data
USER avclips
WORKDIR /data
VOLUME /data
EXPOSE 8642
ENTRYPOINT ["avclips"]
CMD ["--help"]
