"""Clips of YouTube videos for research datasets, fetched by their byte ranges.

The house has floors, and an import only goes down (``tests/test_floors.py`` reads this map):

    13 start                                      the scripts' door: is everything installed?
    12 cli                                        a command line -> an exit code; --status, --verify
    11 run                                        one download run, step by step
    10 drive                                      a dataset's own archives on Google Drive
    9  engine report                              many videos at once; what a user watches meanwhile
    8  worker                                     one video's clips, from URL to published files
    7  reading                                    one video's heads and the bytes of its clips
    6  local                                      what of a clip is on this machine already
    5  finish plan sidecars                       local files -> a checked and published clip; what there is to do;
                                                  what is kept beside a clip
    4  store examine datasets options             one data folder; a look at what stands there; each dataset
    3  media youtube dataset archives pacer lock tries signals
                                                  ffmpeg; yt-dlp; what a dataset is; what a user has already; who
                                                  may ask, and how often; how a run is stopped
    2  measure snapshot progressive webm hls streams lanes
                                                  what a cut holds and should hold; the JSON that people read;
                                                  other layouts than fragments of MP4
    1  files journal pace spans mp4 failures formats ytdlp_args logs shards tables sites quantities subtitles
                                                  whole files; the time; the bytes of a clip; words; shares; lists
    0  errors clip boxes                          what can go wrong; the values that travel between the rooms

Only ``youtube``, ``ytdlp_args`` and ``sites`` know yt-dlp, only ``media`` starts a child process, and ffmpeg never
opens a URL. Workers never write the store's JSON; the store never touches the network.
"""
