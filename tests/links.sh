#!/bin/sh
# Every link from a page of this project to one of its files leads to a file that is tracked (without
# git: that exists). Links in code spans are examples. And every page has a title, no line that is too long
# (tests/pages.awk) and no sentence that is (tests/sentences.awk).
bad=0
pages='README.md CONTRIBUTING.md CHANGELOG.md docs/*.md experiments/*/README.md'
tracked() {
  [ -e "$1" ] || return 1
  ! git rev-parse --is-inside-work-tree >/dev/null 2>&1 || [ -n "$(git ls-files -- "$1")" ]
}
for page in $pages; do
  for link in $(sed 's/`[^`]*`//g; s/](\([^) ]*\)/\n=\1\n/g; s/\(src\|href\)="\([^"]*\)"/\n=\2\n/g' "$page" | sed -n 's/^=//p'); do
    case $link in http://* | https://* | mailto:* | '#'*) continue ;; esac
    tracked "$(dirname "$page")/${link%%#*}" || { echo "links: $page links to $link, which is not there or not tracked"; bad=1; }
  done
done
# shellcheck disable=SC2086
LC_ALL=C awk -f tests/pages.awk $pages || bad=1
# shellcheck disable=SC2086
LC_ALL=C awk -f tests/sentences.awk $pages || bad=1
exit $bad
