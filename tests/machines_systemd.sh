#!/bin/sh
# A systemd of its own as the first process of new namespaces: what it changes is gone with it. Arguments: a folder, then the
# folders that are to be the same inside.
set -e
folder=$1
shift
mount -t tmpfs tmpfs "$folder"
mkdir "$folder/up" "$folder/work" "$folder/root"
root=$folder/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/up,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
mkdir "$root/sys/fs/cgroup/systemd" "$root/sys/fs/cgroup/unified"
mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/run"
for same in "$@"; do
    mkdir -p "$root$same"
    mount --bind "$same" "$root$same"
done
rm -rf "$root/etc/systemd/system"
mkdir -p "$root/etc/systemd/system" "$root/run/systemd/system"
printf '[Unit]\nDefaultDependencies=no\nRequires=dbus.socket\n' >"$root/run/systemd/system/only.target"
export container=other
exec chroot "$root" /usr/lib/systemd/systemd --system --unit=only.target --log-target=null --show-status=no
