"""Clips of YouTube videos for research datasets, fetched by their byte ranges.

The house has floors, and an import only goes down (``tests/test_floors.py`` reads this map):

    16 start                                      the scripts' door: is everything installed?
    15 cli spark                                  a command line -> an exit code; --verify; the same
                                                  from a program
    14 run                                        one download run, step by step
    13 cluster                                    packs on many machines
    12 task                                       one pack on one machine of many
    11 desks                                      who asks
    10 worker                                     one video's clips, from URL to published files
    9  reading                                    one video's second 0, and the packets of its clips
    8  layout_pieces                              streams in pieces (HLS, DASH)
    8  status                                     how far a folder is, in words
    7  drive layout_fragments layout_table local packed watch
                                                  a dataset's own archives on Google Drive; streams by an index of
                                                  fragments, by a table of samples; what of a clip is on this
                                                  machine already; packing beside fetching
    6  engine finish kept layouts options plan report sidecars trial
                                                  a command line -> settings; what a user watches; many videos at
                                                  once; packets -> a checked and published clip; what every layout
                                                  of a stream answers; what there is to do; what is kept beside a
                                                  clip; which ffmpeg can do it
    5  byte_reader cut datasets forecast opening options_run packs store versions
                                                  a clip out of its packets; each dataset; any media file as
                                                  packets; what goes into which pack; one data folder; how long it
                                                  takes; what of a stream was read
    4  claims encoding examine options_job pacer packing snapshot steady tables youtube
                                                  yt-dlp; who is at which pack; how ffmpeg is
                                                  told; a look at what stands there; who may ask, and how often;
                                                  the files of a pack; the JSON that people read; any list
    3  signals tries                              how a run is stopped; what a try means
    3  cookies cutting dataset journal list_json list_parquet list_text lock media needs remote shelf
                                                  what a clip has of its source; what a dataset is; the manifest;
                                                  the rows of a list; ffmpeg; object stores; where a pace lies;
                                                  whose cookies; what a run needs of this machine
    2  memory webm                                what a folder was asked for; packets of WebM
    2  archives heard hls java lines links list_files locks logs measure moof pace progressive streams timeline
                                                  what a user has already; what yt-dlp says on its way; a line of a
                                                  manifest; who holds a file; what a cut holds; packets by what
                                                  containers say of them; the time; second 0
    1  beacons config extras failures files formats lanes mp4 parser presets sniff spans ytdlp_args ytdlp_net
                                                  whole files; what foreign words mean; tables of MP4; who answered
                                                  before; public lists; yt-dlp's ways to the network
    0  bounds boxes clip csvs errors kinds mp4_writer mpegts packed_audio quantities shards sites subtitles
                                                  what can go wrong; the values that travel between the rooms; what
                                                  files are made of; what a request may cost
    0  near tabular tested words                      the versions that were tested; strangers' words

Only ``youtube``, ``cookies``, ``ytdlp_net``, ``ytdlp_args`` and ``sites`` know yt-dlp, only ``media`` starts a
child process, and ffmpeg never opens a URL; only ``cluster`` knows Spark, and only ``remote`` fsspec. Workers
never write the store's JSON; the store never touches the network.
"""
