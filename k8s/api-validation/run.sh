#!/bin/sh
# Validates all overlays with the API server's own code: k8s/api-validation/run.sh 1.36.3. Needs Go, kubectl, and a few minutes for the
# first time of each version.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
version=${1:?the version of Kubernetes, as 1.36.3}
minor=0.${version#1.}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cp "$here/main.go" "$work"
cd "$work"
module=$(go mod download -json "k8s.io/kubernetes@v$version" | sed -n 's/.*"GoMod": "\(.*\)".*/\1/p')
{
  echo 'module callfleet'
  sed -n 's/^go .*/&/p' "$module"
  echo "require k8s.io/kubernetes v$version"
  # What is a folder of Kubernetes itself there is a module of its own.
  sed -n "s/^[[:space:]]*\(k8s.io\/[a-z0-9-]*\) => .\/staging.*/replace \1 => \1 v$minor/p" "$module"
} >go.mod
go mod tidy >/dev/null 2>&1
go build -o validate .
for overlay in "$here"/../overlays/*/; do
  printf '%s, Kubernetes %s: ' "$(basename "$overlay")" "$version"
  kubectl kustomize "$overlay" | ./validate
done
