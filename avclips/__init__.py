"""Clips of YouTube videos for research datasets, fetched by their byte ranges.

The house has floors, and an import only goes down (``tests/test_floors.py`` reads this map):

    11 start                                      the scripts' door: is everything installed?
    10 cli                                        a command line -> an exit code; --status, --verify
    9  run                                        one download run, step by step
    8  drive                                      a dataset's own archives on Google Drive
    7  engine report                              many videos at once; what a user watches meanwhile
    6  worker                                     one video's clips, from URL to published files
    5  local                                      what of a clip is on this machine already
    4  finish                                     local files -> a checked and published clip
    3  store examine datasets options             one data folder; a look at what stands there; each dataset
    2  media youtube dataset archives pacer lock tries signals snapshot
                                                  ffmpeg; yt-dlp; what a dataset is; what a user has already; who
                                                  may ask, and how often; how a run is stopped
    1  files journal pace spans measure failures formats ytdlp_args logs shards
                                                  whole files; the time; bytes and pictures of a clip; words
    0  errors clip                                what can go wrong; the values that travel between the rooms

Only ``youtube`` and ``ytdlp_args`` know yt-dlp, only ``media`` starts a child process, and ffmpeg never opens
a URL. Workers never write the store's JSON; the store never touches the network.
"""
