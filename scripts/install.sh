#!/bin/sh
# install.sh install DESTDIR PREFIX BUILD [PLUGIN.so] | uninstall DESTDIR PREFIX
#
#     PREFIX/bin/batchlab                  finds all else from where it lies, so the whole may be moved
#     PREFIX/lib/batchlab/                 the CUDA plug-in, and what keeps the clock out of figures
#     PREFIX/share/batchlab/               experiments, declarations of data sets, sweep library, templates, client
#     PREFIX/share/man/man1/               a page for each command, written by the program itself
#     PREFIX/share/doc/batchlab/           pages, licence, changes
#     PREFIX/share/bash-completion, zsh, fish: completion
#
# Run from the root of the repository. What was installed before is replaced as a whole.
set -eu
action=$1
to=$2$3
share=$to/share/batchlab lib=$to/lib/batchlab doc=$to/share/doc/batchlab man=$to/share/man/man1
bash=$to/share/bash-completion/completions zsh=$to/share/zsh/site-functions fish=$to/share/fish/vendor_completions.d

remove() {
  rm -rf "$share" "$lib" "$doc"
  rm -f "$to/bin/batchlab" "$man"/batchlab.1 "$man"/batchlab-*.1 "$bash/batchlab" "$zsh/_batchlab" "$fish/batchlab.fish"
  # Folders that are empty then, up to the prefix, which stays.
  for folder in "$man" "$to/share/man" "$to/share/doc" "$bash" "$to/share/bash-completion" "$zsh" "$to/share/zsh" "$fish" \
    "$to/share/fish" "$to/share" "$to/lib" "$to/bin"; do
    rmdir "$folder" 2>/dev/null || :
  done
}

[ "$action" = uninstall ] && { remove; exit; }
[ "$action" = install ] || { echo "install.sh: install or uninstall, not '$action'" >&2; exit 2; }
build=$4
remove
mkdir -p "$to/bin" "$lib" "$share/datasets" "$share/scripts" "$share/reports" "$doc" "$man" "$bash" "$zsh" "$fish"
install -m 755 "$build/batchlab" "$to/bin/batchlab"
install -m 644 "$build/fixed_clock.so" "$lib/"
[ $# -lt 5 ] || install -m 644 "$5" "$lib/"
for folder in experiments clients examples; do cp -R "$folder" "$share/"; done
cp datasets/*.cfg "$share/datasets/"
cp -R scripts/lua "$share/scripts/"
cp -R reports/templates "$share/reports/"
cp -R README.md CHANGELOG.md LICENSE docs "$doc/"
find "$share" -name __pycache__ -prune -exec rm -rf {} +
chmod -R u+rwX,go+rX,go-w "$share" "$doc"
program=$to/bin/batchlab
"$program" completion man >"$man/batchlab.1"
for command in $("$program" completion words | cut -f1); do "$program" completion man "$command" >"$man/batchlab-$command.1"; done
"$program" completion bash >"$bash/batchlab"
"$program" completion zsh >"$zsh/_batchlab"
"$program" completion fish >"$fish/batchlab.fish"
