#!/bin/sh
# Installs a package into an empty Debian, starts the window there and waits for a picture.
#   sh verify-deb.sh PACKAGE FOLDER      needs root, debootstrap and the network's package registry
set -eu
package=$1
root=$2
command -v debootstrap >/dev/null || apt-get install --quiet --yes debootstrap
if [ ! -e "$root/etc/debian_version" ]; then
    rm -rf "$root"
    debootstrap --variant=minbase bookworm "$root" "$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p;s/^URIs: //p' /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)"
fi
cleanup() {
    for folder in proc dev/pts dev; do umount -l "$root/$folder" 2>/dev/null || true; done
}
trap cleanup EXIT
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
cp "$package" "$root/tmp/studio.deb"
rm -rf "$root/tmp/home"
mkdir -p "$root/tmp/home"
cat >"$root/tmp/first-picture.sh" <<'INSIDE'
set -eu
export HOME=/tmp/home LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
apt-get install --quiet --yes --no-install-recommends /tmp/studio.deb xvfb xauth xdotool dbus-x11 fonts-dejavu-core
bagel --version
cd /tmp
Xvfb :77 -screen 0 1400x900x24 >/dev/null 2>&1 &
display=$!
export DISPLAY=:77 WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS=1
sleep 1
dbus-run-session bagel-studio >/tmp/studio.log 2>&1 &
studio=$!
window=$(timeout 60 xdotool search --sync --onlyvisible --name 'Bagel Studio' | head -n 1)
echo "the window is there: $window"
pictures() { find /tmp/home -name '*.png' -path '*images*' | wc -l; }
tries=0
while [ "$(pictures)" -eq 0 ] && [ $tries -lt 12 ]; do
    sleep 10
    if [ $((tries % 4)) -eq 0 ]; then
        xdotool windowfocus "$window" || true
        xdotool key --window "$window" Escape
        xdotool type --window "$window" --delay 20 'i'
        xdotool type --delay 20 'a red circle on a blue background'
        xdotool key ctrl+Return
    fi
    tries=$((tries + 1))
done
found=$(pictures)
kill $studio $display 2>/dev/null || true
if [ "$found" -eq 0 ]; then
    tail -n 40 /tmp/studio.log
    echo "no picture was made"
    exit 1
fi
find /tmp/home -name '*.png' -path '*images*'
echo "verified: the installed studio made $found picture(s)"
INSIDE
chroot "$root" sh /tmp/first-picture.sh
