"""Clips of YouTube videos for research datasets, fetched by their byte ranges.

The house has floors, and an import only goes down (``tests/test_floors.py`` reads this map):

    15 start                                      the scripts' door: is everything installed?
    14 cli spark                                  a command line -> an exit code; --status, --verify; the same
                                                  from a program
    13 run                                        one download run, step by step
    12 cluster                                    packs on many machines
    11 task                                       one pack on one machine of many
    10 drive desks packed watch                        a dataset's own archives on Google Drive; who asks; packing
                                                  beside fetching
    9  engine report                              many videos at once; what a user watches meanwhile
    8  worker                                     one video's clips, from URL to published files
    7  reading                                    one video's heads and the bytes of its clips
    6  local                                      what of a clip is on this machine already
    5  finish plan sidecars                       local files -> a checked and published clip; what there is to do;
                                                  what is kept beside a clip
    4  store examine datasets options             one data folder; a look at what stands there; each dataset
    3  media youtube dataset archives pacer lock tries signals packs
                                                  ffmpeg; yt-dlp; what a dataset is; what a user has already; who
                                                  may ask, and how often; how a run is stopped; what goes
                                                  into which pack, and where these lie
    2  measure snapshot progressive webm hls streams lanes tables remote packing
                                                  what a cut holds and should hold; the JSON that people read;
                                                  other layouts than fragments of MP4; lists; object stores;
                                                  the files of a pack
    1  files journal pace spans mp4 failures formats ytdlp_args logs shards extras sites quantities subtitles kinds
                                                  whole files; the time; the bytes of a clip; words; shares
    0  errors clip boxes                          what can go wrong; the values that travel between the rooms

Only ``youtube``, ``ytdlp_args`` and ``sites`` know yt-dlp, only ``media`` starts a child process, and ffmpeg never
opens a URL; only ``cluster`` knows Spark, and only ``remote`` fsspec. Workers never write the store's JSON; the
store never touches the network.
"""
