#!/bin/bash
# The disk that outlives the machine: finds it, formats it only if it is empty, mounts it, lets it grow.
#
#   data-disk.sh find SECONDS NAME...   print the disk that one of the names (wildcards) means, waiting for it
#   data-disk.sh prepare DISK           make a filesystem on an empty disk; leave one that is there as it is
#   data-disk.sh mount DISK FOLDER      mount it, now and at every boot
#   data-disk.sh grow FOLDER            let the filesystem mounted there fill its disk
#
# Ends with 3 when the disk is not there, with 4 when it must not be touched, saying why.
set -euo pipefail

readonly label=cyberhub-data
readonly mib=1048576

say() { printf '%s\n' "$*" >&2; }

refuse() {
  say "$*"
  exit 4
}

# A filesystem on the whole disk is expected: partitions and their links are passed over.
whole_disk() {
  local candidate
  for candidate in "$@"; do
    [[ -b $candidate ]] || continue
    candidate=$(readlink -f "$candidate")
    case $(lsblk --nodeps --noheadings --output TYPE "$candidate") in
      disk | loop)
        printf '%s\n' "$candidate"
        return
        ;;
    esac
  done
  return 1
}

find_disk() {
  local seconds=$1 end name disk
  shift
  end=$((SECONDS + seconds))
  while :; do
    for name in "$@"; do
      # The name may hold wildcards: it must split and expand here.
      # shellcheck disable=SC2086
      if disk=$(whole_disk $name); then
        printf '%s\n' "$disk"
        return
      fi
    done
    ((SECONDS < end)) || break
    sleep 2
  done
  say "the data disk is not attached (looked for $*)"
  exit 3
}

# Reads the beginning, the end and a sample of what is between: a new volume is all zeros, and reading
# hundreds of gigabytes would take the better part of an hour. Whatever cannot be read is not empty.
all_zeros() {
  local disk=$1 size=$2 step offset
  ((size > 0)) || return 1
  if ((size <= 256 * mib)); then
    cmp --quiet --bytes="$size" "$disk" /dev/zero
    return
  fi
  cmp --quiet --bytes=$((64 * mib)) "$disk" /dev/zero || return 1
  cmp --quiet --ignore-initial=$((size - 16 * mib)):0 --bytes=$((16 * mib)) "$disk" /dev/zero || return 1
  step=$((size / 128 / 4096 * 4096))
  for ((offset = step; offset < size - mib; offset += step)); do
    cmp --quiet --ignore-initial="$offset":0 --bytes="$mib" "$disk" /dev/zero || return 1
  done
}

# What is on the disk: `empty`, the name of its filesystem, or a description.
contents() {
  local disk=$1 found="" code=0 type size
  found=$(blkid --probe --output export "$disk") || code=$?
  case $code in
    0)
      type=$(sed -n 's/^TYPE=//p' <<<"$found")
      printf '%s\n' "${type:-a partition table}"
      return
      ;;
    2) ;; # nothing known
    *)
      printf 'signatures of several kinds\n'
      return
      ;;
  esac
  if [[ -n $(wipefs --no-act --noheadings "$disk") ]]; then
    printf 'a signature that is not a filesystem\n'
    return
  fi
  if [[ -n $(lsblk --noheadings --output NAME "$disk" | tail -n +2) ]]; then
    printf 'something that other devices are made of\n'
    return
  fi
  size=$(blockdev --getsize64 "$disk")
  if all_zeros "$disk" "$size"; then
    printf 'empty\n'
  else
    printf 'data without any known structure\n'
  fi
}

# Whether this kernel can mount what is on the disk.
mountable() {
  local disk=$1 folder code=0
  folder=$(mktemp -d)
  mount -o prjquota "$disk" "$folder" || code=$?
  ((code)) || umount "$folder"
  rmdir "$folder"
  return "$code"
}

prepare() {
  local disk=$1 what
  what=$(contents "$disk")
  case $what in
    empty) ;;
    ext4 | xfs)
      say "$disk holds a filesystem ($what), which is kept with all that is on it"
      return
      ;;
    *)
      refuse "the data disk $disk is not empty: it holds $what. It is left as it is." \
        "Use another volume; or, to ERASE this one for good, run: sudo blkdiscard --force --zeroout $disk"
      ;;
  esac
  # An inode for each 4 KB: images and package trees are millions of small files, and with the usual
  # one for each 16 KB such disks were full by inodes long before they were full by bytes.
  local make=(mkfs.ext4 -q -L "$label" -i 4096 -m 1)
  "${make[@]}" -O 'project,quota' -E quotatype=prjquota "$disk"
  # Some kernels have the quota format in a package of its own, or not at all.
  if ! mountable "$disk"; then
    say "this kernel has no disk quotas: users' disk space cannot be limited here"
    "${make[@]}" -F "$disk"
  fi
  say "made a filesystem on the empty disk $disk"
}

has_project_quotas() {
  local features
  features=" $(dumpe2fs -h "$1" 2>/dev/null | sed -n 's/^Filesystem features: *//p') "
  [[ $features == *" quota "* && $features == *" project "* ]]
}

mount_disk() {
  local disk=$1 folder=$2 uuid type options=defaults,noatime,nofail,x-systemd.device-timeout=60s mounted
  uuid=$(blkid --probe --match-tag UUID --output value "$disk")
  type=$(blkid --probe --match-tag TYPE --output value "$disk")
  if [[ $type == ext4 ]] && has_project_quotas "$disk"; then
    options+=,prjquota
  fi
  mkdir -p "$folder"
  if mounted=$(findmnt --noheadings --output UUID --mountpoint "$folder"); then
    [[ $mounted == "$uuid" ]] || refuse "another filesystem is mounted at $folder; unmount it and remove it from /etc/fstab"
  elif [[ -n $(ls -A "$folder") ]]; then
    refuse "$folder holds files of the machine itself, which the data disk would hide; move them away"
  fi
  local line="UUID=$uuid $folder $type $options 0 2"
  if ! grep -qxF "$line" /etc/fstab; then
    awk -v folder="$folder" '/^[[:space:]]*#/ || $2 != folder' /etc/fstab >/etc/fstab.cyberhub
    printf '%s\n' "$line" >>/etc/fstab.cyberhub
    chmod 0644 /etc/fstab.cyberhub
    mv -f /etc/fstab.cyberhub /etc/fstab
    systemctl daemon-reload
  fi
  [[ -n $mounted ]] || mount "$folder"
}

grow() {
  local folder=$1 disk type
  disk=$(findmnt --noheadings --output SOURCE --mountpoint "$folder") || return 0
  type=$(findmnt --noheadings --output FSTYPE --mountpoint "$folder")
  case $type in
    ext4) resize2fs "$disk" ;;
    xfs) xfs_growfs "$folder" ;;
  esac
}

case ${1:-} in
  find) find_disk "${@:2}" ;;
  prepare) prepare "$2" ;;
  mount) mount_disk "$2" "$3" ;;
  grow) grow "$2" ;;
  *)
    say "usage: data-disk.sh find SECONDS NAME... | prepare DISK | mount DISK FOLDER | grow FOLDER"
    exit 64
    ;;
esac
