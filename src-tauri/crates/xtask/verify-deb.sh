#!/bin/sh
# Installs a package into an empty Debian or Ubuntu, generates an image there in the terminal, starts the window as a
# user does, types a prompt, and reads the recipe of the resulting image.
#   sh verify-deb.sh PACKAGE FOLDER
# Needs root and what this system's own package sources give. FOLDER keeps an empty system and the packages fetched,
# so that a second run takes a minute; the system that the package is installed into is created anew every time.
set -eu
package=$1
folder=$2
base=$folder/base
root=$folder/root
prompt='a large red circle on a blue background'

command -v debootstrap >/dev/null || DEBIAN_FRONTEND=noninteractive apt-get install --quiet --yes debootstrap
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
# This machine's own package source is reachable, so it is used for the empty system too.
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
# Proxies and the like, which the source may need.
apt-config dump | grep '^Acquire::' >"$root/etc/apt/apt.conf.d/99host" || true
cp "$package" "$root/tmp/studio.deb"

cat >"$root/tmp/first-image.sh" <<'INSIDE'
set -eu
prompt=$1
export HOME=/tmp/home LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive
apt-get update --quiet
apt-get install --quiet --yes --no-install-recommends /tmp/studio.deb >/dev/null
echo "installed: $(dpkg-query --show bagel-studio)"
bagel --version
bagel generate --prompt "$prompt" --out /tmp/in-the-terminal.png
# Installed after the package, whose own list of dependencies must be complete.
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
    # The page may not be ready the first time.
    sleep 5
    xdotool windowfocus "$window"
    xdotool key slash
    xdotool key ctrl+a
    xdotool type --delay 20 "$prompt"
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
    *"$prompt"*) ;;
    *) echo "the recipe of $image lacks the typed prompt"; exit 1 ;;
esac
INSIDE

# Mounts and processes of the test are private to it and end with it.
unshare --mount --pid --fork --kill-child sh -eu -c '
    mount --make-rprivate /
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    mount --bind "$2" "$1/var/cache/apt/archives"
    exec chroot "$1" sh /tmp/first-image.sh "$3"
' sh "$root" "$folder/archives" "$prompt"
cp "$root/tmp/first-image.png" "$folder/first-image.png"
echo "verified: the installed studio made $folder/first-image.png"
