#!/bin/sh
# Copies pg_dump, pg_restore and the server of a PostgreSQL image, with the libraries that they load, into a folder that
# runs on any Linux of the same processor: the programs start with the loader and the C library of their own image.
#   sh bundle-clients.sh TARGET
set -eu
target=$1
# A server finds its files relative to its program, by the last part of this path.
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
home=${bin#/usr/}
mkdir -p "$target/lib" "$target/$home" "$target/${home%/bin}"
for name in pg_dump pg_restore initdb postgres; do
  cp "$bin/$name" "$target/lib/$name"
  # Each line is `name => path (address)`, and that of the loader `path (address)`.
  ldd "$bin/$name" | sed -n -e 's|.*=> \(/[^ ]*\) .*|\1|p' | while read -r library; do cp -L "$library" "$target/lib/"; done
  cp -L "$(ldd "$bin/$name" | sed -n -e 's|^[[:space:]]*\(/[^ ]*ld-linux[^ ]*\) (.*|\1|p')" "$target/lib/loader"
  printf '#!/bin/sh\nhere=$(dirname "$(readlink -f "$0")")\nlib=${here%%/%s}/lib\nexec "$lib/loader" --argv0 "$here/%s" --library-path "$lib" "$lib/%s" "$@"\n' \
    "$home" "$name" "$name" >"$target/$home/$name"
  chmod 755 "$target/$home/$name"
  ln -sf "$home/$name" "$target/$name"
done
# Without the compiler of queries, which is larger than all the rest, and without manuals and translations.
cp -r "${bin%/bin}/lib" "$target/${home%/bin}/"
rm -rf "$target/${home%/bin}/lib"/llvmjit* "$target/${home%/bin}/lib/bitcode" "$target/${home%/bin}/lib/pgxs"
major=$(basename "${bin%/bin}")
mkdir -p "$target/share/postgresql"
cp -r "/usr/share/postgresql/$major" "$target/share/postgresql/"
rm -rf "$target/share/postgresql/$major/man"
