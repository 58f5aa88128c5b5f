#!/bin/sh
# A Slurm of one node on this machine, to try `movlr sweep FILE --on slurm`; it ends with the command, and leaves nothing behind.
# Debian and Ubuntu: apt-get install slurm-wlm munge (their services need not run). Run it as root.
#
#   tools/local_slurm.sh movlr sweep FILE --on slurm        the command sees this Slurm; its jobs are waited for, at most 10 minutes
set -eu
[ $# -gt 0 ] || { echo "usage: tools/local_slurm.sh COMMAND ..." >&2; exit 2; }
for program in munged slurmctld slurmd sbatch; do
    PATH="$PATH:/usr/sbin" command -v $program > /dev/null || { echo "$program is missing: apt-get install slurm-wlm munge" >&2; exit 1; }
done
PATH="$PATH:/usr/sbin"
place=$(mktemp -d "${TMPDIR:-/tmp}/slurm-XXXXXX")
chmod 755 "$place"
mkdir "$place/state" "$place/spool"
node=$(hostname -s)
head -c 128 /dev/urandom > "$place/munge.key"
chmod 400 "$place/munge.key"
cat > "$place/slurm.conf" <<CONF
ClusterName=local
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
AuthType=auth/munge
AuthInfo=socket=$place/munge.sock
CredType=cred/munge
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
StateSaveLocation=$place/state
SlurmdSpoolDir=$place/spool
SlurmctldPidFile=$place/slurmctld.pid
SlurmdPidFile=$place/slurmd.pid
SlurmctldLogFile=$place/slurmctld.log
SlurmdLogFile=$place/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MailProg=/bin/true
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$place/slurm.conf"
munged --foreground --force --socket="$place/munge.sock" --key-file="$place/munge.key" --pid-file="$place/munged.pid" \
    --log-file="$place/munged.log" --seed-file="$place/munged.seed" > "$place/munged.out" 2>&1 &
daemons=$!
end() {
    scancel --quiet --user="$(id -un)" 2> /dev/null || true
    kill $daemons 2> /dev/null || true
    wait $daemons 2> /dev/null || true
    rm -rf "$place"
}
trap end EXIT
trap 'exit 130' INT TERM
slurmctld -D > /dev/null 2>&1 &
daemons="$daemons $!"
slurmd -D -N "$node" > /dev/null 2>&1 &
daemons="$daemons $!"
for _ in $(seq 60); do
    [ "$(sinfo --noheader --format=%t 2> /dev/null)" = idle ] && break
    sleep 1
done
if [ "$(sinfo --noheader --format=%t 2> /dev/null)" != idle ]; then
    echo "This Slurm does not start:" >&2
    tail -n 5 "$place"/*.log >&2
    exit 1
fi
"$@"
for _ in $(seq 600); do
    [ -z "$(squeue --noheader)" ] && break
    sleep 1
done
"$@"
