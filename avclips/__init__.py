"""Clips of YouTube videos for research datasets, fetched by their byte ranges.

The house has floors, and an import only goes down (``tests/test_floors.py`` reads this map):

    6  cli                                        options -> Settings, logging, signals, errors -> exit codes
    5  engine report                              many videos at once; what a user watches meanwhile
    4  worker                                     one video's clips, from URL to published files
    3  store examine datasets options             one data folder; a look at what stands there; each dataset
    2  media youtube dataset pacer lock tries     ffmpeg; yt-dlp; what a dataset is; who may ask, and how often
    1  files journal pace spans measure failures formats ytdlp_args
                                                  whole files; the time; bytes and pictures of a clip; words
    0  errors clip                                what can go wrong; the values that travel between the rooms

Only ``youtube`` and ``ytdlp_args`` know yt-dlp, only ``media`` starts a child process, and ffmpeg never opens
a URL. Workers never write the store's JSON; the store never touches the network.
"""
