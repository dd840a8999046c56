# docker build -t avclips .
# mkdir -p data
# docker run --rm --user "$(id -u):$(id -g)" -v "$PWD/data:/data" avclips general --data-dir /data/avqa
# docker run --rm --user "$(id -u):$(id -g)" -v "$PWD/data:/data" -p 127.0.0.1:8642:8642 avclips explore /data/avqa --host 0.0.0.0
FROM python:3.11-slim

ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1

COPY pyproject.toml README.md LICENSE requirements*.txt /opt/avclips/
COPY avclips /opt/avclips/avclips
RUN pip install "/opt/avclips[scale,explore,report]" && rm -rf /opt/avclips

# Any user will do, and needs no home: --user makes the files those of whoever starts it. The pace and the blocks of a
# connection are kept beside the data, for the next container.
ENV XDG_CACHE_HOME=/data/.cache MPLCONFIGDIR=/tmp/matplotlib
RUN useradd --create-home --uid 1000 avclips && mkdir /data && chown avclips /data
USER avclips
WORKDIR /data
VOLUME /data
EXPOSE 8642
ENTRYPOINT ["avclips"]
CMD ["--help"]
