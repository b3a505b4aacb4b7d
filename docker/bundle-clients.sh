#!/bin/sh
# Copies pg_dump and pg_restore of a PostgreSQL image, with the libraries that they load, into a folder that runs on any
# Linux of the same processor: the programs start with the loader and the C library of their own image.
#   sh bundle-clients.sh TARGET
set -eu
target=$1
mkdir -p "$target/lib"
for name in pg_dump pg_restore; do
  program=$(ls /usr/lib/postgresql/*/bin/"$name" | tail -n 1)
  cp "$program" "$target/lib/$name"
  # Each line is `name => path (address)`, and that of the loader `path (address)`.
  ldd "$program" | sed -n -e 's|.*=> \(/[^ ]*\) .*|\1|p' | while read -r library; do cp -L "$library" "$target/lib/"; done
  cp -L "$(ldd "$program" | sed -n -e 's|^[[:space:]]*\(/[^ ]*ld-linux[^ ]*\) (.*|\1|p')" "$target/lib/loader"
  printf '#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nexec "$here/lib/loader" --library-path "$here/lib" "$here/lib/%s" "$@"\n' \
    "$name" >"$target/$name"
  chmod 755 "$target/$name"
done
