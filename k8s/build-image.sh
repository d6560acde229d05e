#!/bin/sh
# Builds the image of ../Dockerfile without a Docker engine, and without any registry of images: on a Debian, as root, with buildah
# (apt-get install buildah mmdebstrap), from a base of Debian packages and the Node of node_modules.
#   k8s/build-image.sh [tag]                                 prints the image's root, mounted
#   buildah --root <store> --storage-driver vfs push <tag> docker-archive:callfleet.tar
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
tag=${1:-localhost/callfleet:0.1.0}
cache=${CALLFLEET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/callfleet}
store="$cache/images"
node=$(readlink -f "$root/node_modules/.bin/node")
npm=$(npm root -g)/npm
suite=bookworm

for tool in buildah mmdebstrap npm; do
  command -v "$tool" >/dev/null 2>&1 || { echo "build-image: $tool is not there; on Debian: apt-get install $tool" >&2; exit 1; }
done
buildah() { command buildah --root "$store" --runroot "$cache/images-run" --storage-driver vfs "$@"; }

# The base: Debian's essentials, what Node links to, certificates; and the same with npm, to install packages.
if ! buildah inspect --type image localhost/callfleet-builder >/dev/null 2>&1; then
  mkdir -p "$cache"
  mmdebstrap --quiet --variant=essential --include=ca-certificates,libstdc++6 \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    "$suite" "$cache/image-base.tar"
  base=$(buildah from scratch)
  buildah add --quiet "$base" "$cache/image-base.tar" / >/dev/null
  buildah copy --quiet "$base" "$node" /usr/local/bin/node >/dev/null
  buildah config --env PATH=/usr/local/bin:/usr/bin:/bin "$base"
  buildah commit --quiet --format docker "$base" localhost/callfleet-base >/dev/null
  buildah copy --quiet "$base" "$npm" /usr/local/lib/node_modules/npm >/dev/null
  buildah run --isolation chroot "$base" -- ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm
  # Where this machine needs certificates of its own to reach the registry of packages.
  buildah copy --quiet "$base" /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt >/dev/null
  buildah config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$base"
  buildah commit --quiet --format docker --rm "$base" localhost/callfleet-builder >/dev/null
  rm -f "$cache/image-base.tar"
fi

buildah bud --quiet --isolation chroot --format docker --pull=false --layers \
  --build-arg BUILDER=localhost/callfleet-builder --build-arg BASE=localhost/callfleet-base \
  --tag "$tag" --file "$root/Dockerfile" "$root" >&2

# Only the newest one is kept unpacked.
buildah rm --all >/dev/null 2>&1 || true
container=$(buildah from --pull=false "$tag")
mount=$(buildah mount "$container")
buildah images --format '{{.Name}}:{{.Tag}} {{.Size}}' "$tag" >&2
echo "packages in sbom.cdx.json: $("$node" -p "JSON.parse(require('fs').readFileSync('$mount/app/sbom.cdx.json')).components.length")" >&2
echo "$mount"
