#!/bin/sh
# Installs a package into an empty Debian or Ubuntu, paints there in the terminal, starts the window as a person does,
# types an prompt, and reads the recipe of the image that comes of it.
#   sh verify-deb.sh PACKAGE FOLDER
# Needs root and what this system's own package sources give. FOLDER keeps an empty system and the packages fetched,
# so that a second run takes a minute; what the package itself is installed into is made anew every time.
set -eu
package=$1
folder=$2
base=$folder/base
root=$folder/root
words='a large red circle on a blue background'

command -v debootstrap >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes debootstrap
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
# Where this machine gets its own packages from is where it can get others.
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $suite" 'Component: main' | head -n 1)
[ -n "$mirror" ] || { echo "no package source of this system has $suite"; exit 1; }

if [ ! -e "$base/complete" ]; then
    rm -rf "$base"
    mkdir -p "$base"
    debootstrap --variant=minbase "$suite" "$base" "$mirror"
    touch "$base/complete"
fi
rm -rf "$root"
cp -a "$base" "$root"
mkdir -p "$folder/archives/partial" "$root/tmp/home"
# Proxies and the like, which may be what makes the source reachable.
apt-config dump | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/99host" || true
cp "$package" "$root/tmp/studio.deb"

cat >"$root/tmp/first-image.sh" <<'INSIDE'
set -eu
words=$1
export HOME=/tmp/home LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
apt-get install --quiet --yes --no-install-recommends /tmp/studio.deb >/dev/null
echo "installed: $(dpkg-query --show bagel-studio)"
bagel --version
bagel generate --prompt "$words" --out /tmp/in-the-terminal.png
# What the test needs comes after the package, which must have named what it needs itself.
apt-get install --quiet --yes --no-install-recommends xvfb xdotool >/dev/null
Xvfb :77 -screen 0 1400x900x24 >/dev/null 2>&1 &
export DISPLAY=:77
sleep 2
bagel-studio >/tmp/studio.log 2>&1 &
window=$(timeout 60 xdotool search --sync --onlyvisible --name 'Bagel Studio' | head -n 1)
echo "the window is there"
images() { find /tmp/home -path '*/images/*' -name '*.png'; }
tries=0
while [ -z "$(images)" ] && [ $tries -lt 4 ]; do
    tries=$((tries + 1))
    # The page may not listen yet the first time.
    sleep 5
    xdotool windowfocus "$window"
    xdotool key slash
    xdotool key ctrl+a
    xdotool type --delay 20 "$words"
    xdotool key ctrl+Return
    waited=0
    while [ -z "$(images)" ] && [ $waited -lt 30 ]; do sleep 1; waited=$((waited + 1)); done
done
image=$(images | head -n 1)
if [ -z "$image" ]; then
    cat /tmp/studio.log
    find /tmp/home -name '*.log' -exec tail -n 40 {} +
    echo "no image was made"
    exit 1
fi
cp "$image" /tmp/first-image.png
recipe=$(grep --text --only-matching '{"version".*"inputs".*}' "$image" || true)
echo "its recipe: $recipe"
case $recipe in
    *"$words"*) ;;
    *) echo "the recipe of $image does not hold what was typed"; exit 1 ;;
esac
INSIDE

# Mounts and processes of the test are its own, and end with it.
unshare --mount --pid --fork --kill-child sh -eu -c '
    mount --make-rprivate /
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    mount --bind "$2" "$1/var/cache/apt/archives"
    exec chroot "$1" sh /tmp/first-image.sh "$3"
' sh "$root" "$folder/archives" "$words"
cp "$root/tmp/first-image.png" "$folder/first-image.png"
echo "verified: the installed studio made $folder/first-image.png"
