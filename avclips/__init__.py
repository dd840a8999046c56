"""Clips of YouTube videos for research datasets, fetched by their byte ranges.

The house has floors, and an import only goes down (``tests/test_floors.py`` reads this map):

    16 start                                      the scripts' door: is everything installed?
    15 cli spark                                  a command line -> an exit code; --status, --verify; the same
                                                  from a program
    14 run verify                                 one download run, step by step; a look at all that is there
    13 cluster                                    packs on many machines
    12 task                                       one pack on one machine of many
    11 desks                                      who asks
    10 worker                                     one video's clips, from URL to published files
    9  reading                                    one video's second 0, and the packets of its clips
    8  layout_pieces                              streams in pieces (HLS, DASH)
    7  layout_fragments layout_table local pack_check packed watch
                                                  streams by an index of fragments, by a table of samples; what of
                                                  a clip is on this machine already; packing beside fetching;
                                                  a pack looked into; how far a cluster's packs are
    6  drive engine finish layouts packs plan progress sidecars trial
                                                  a dataset's own archives on Google Drive; many videos at once;
                                                  packets -> a checked and published clip; what every layout of a
                                                  stream answers; what goes into which pack; what there is to do;
                                                  how far a look is; what is kept beside a clip; which ffmpeg can
                                                  do it
    5  cut datasets opening options pack_rows pack_stats packing report store
                                                  a clip out of its packets; each dataset; any media file as
                                                  packets; the files of a pack; what a user watches; one data
                                                  folder
    4  byte_reader claims encoding examine pacer samples snapshot tables versions
                                                  what of a stream was read; who is at which pack; how ffmpeg is
                                                  told; a look at what stands there; who may ask, and how often;
                                                  one clip of a pack; the JSON that people read; any list
    3  cutting dataset journal list_json list_parquet list_text lock media remote shelf signals tries youtube
                                                  what a clip has of its source; what a dataset is; the manifest;
                                                  the rows of a list; ffmpeg; object stores; where a pace lies;
                                                  how a run is stopped; yt-dlp
    2  webm                                       packets of WebM
    2  archives heard hls java lines links list_files locks logs measure moof pace progressive streams timeline
                                                  what a user has already; what yt-dlp says on its way; a line of a
                                                  manifest; who holds a file; what a cut holds; packets by what
                                                  containers say of them; the time; second 0
    1  beacons extras failures files formats lanes mp4 pack_layout presets silence sniff spans
                                                  whole files; what foreign words mean; tables of MP4; who answered
                                                  before; what packs have in common; public lists; no sound
    1  ytdlp_args ytdlp_net                       yt-dlp's ways to the network
    0  bounds boxes clip csvs errors kinds mp4_writer mpegts packed_audio quantities shards sites subtitles tabular
                                                  what can go wrong; the values that travel between the rooms; what
                                                  files are made of; what a request may cost
    0  tested words                               the versions that were tested; strangers' words

Only ``youtube``, ``ytdlp_net``, ``ytdlp_args`` and ``sites`` know yt-dlp, only ``media`` starts a child process,
and ffmpeg never opens a URL; only ``cluster`` knows Spark, and only ``remote`` fsspec. Workers never write the
store's JSON; the store never touches the network.
"""
