#!/bin/bash
#SBATCH --job-name=avqa
#SBATCH --array=0-3
#SBATCH --time=24:00:00
#SBATCH --cpus-per-task=2
#SBATCH --mem=4G
#SBATCH --signal=B:TERM@120
#SBATCH --requeue
# Each task takes its share of the videos. Two minutes before its end it saves and leaves with 143, and asks to be
# started again until nothing more is to be had.
set -u
cd "${SLURM_SUBMIT_DIR:?sbatch starts this}" || exit 1
bash run_avqa_download.sh general ./data/avqa 4 50K 3.0 --videos-per-hour 60 &
child=$!
trap 'kill -TERM $child' TERM
# A signal ends the first wait; the second one waits for what is being saved.
wait $child
wait $child
code=$?
if [ $code -eq 143 ] || [ $code -eq 75 ]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
fi
exit $code
