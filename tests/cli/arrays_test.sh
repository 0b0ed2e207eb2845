# batchlab init on arrays of NumPy and on folders of pictures: what becomes of them is loaded, checked and trained.
set -u
. tests/cli/lib.sh
corpus=$PWD/tests/fuzz/corpus
project
cd "$scratch/project" || exit 1

said() { tr -s '\n ' '  ' <"$scratch/err" | grep -q -- "$1" || { cat "$scratch/err"; fail "not said: $1"; }; }

# A table: 60 rows of two bytes, y is the first and a half of the second. Nothing that exists is replaced.
bytes() { awk -v kind="$1" 'BEGIN { for (i = 0; i < 60; i++) { a = i * 37 % 101; b = i * 53 % 97
  if (kind == "x") printf "\\%03o\\%03o", a, b; else printf "\\%03o\\000", (2 * a + b) / 2 } }'; }
header() { printf '\223NUMPY\001\000\166\000%-117s\n' "{'descr': '$1', 'fortran_order': False, 'shape': $2, }"; }
{ header '|u1' '(60, 2)'; printf "$(bytes x)"; } >X.npy
{ header '<u2' '(60,)'; printf "$(bytes y)"; } >y.npy
try 0 init X.npy y.npy --name table
said 'inputs X.npy: (60, 2) of uint8 target y.npy: (60,) of uint16'
says out '^datasets/table.csv$'
[ "$(sed -n 1,3p datasets/table.csv | tr '\n' ' ')" = 'x0,x1,y 0,0,0 37,53,63 ' ] || fail "the table: $(sed -n 1,3p datasets/table.csv)"
try 0 check table
try 2 init X.npy y.npy --name table
says err 'datasets/table.cfg exists and is left alone'
[ -e datasets/table.cfg ] || fail "what was there is gone"
# The order of the files does not matter; a wrong name says which there are; what fails leaves nothing.
try 0 init y.npy X.npy --name turned
cmp -s datasets/table.csv datasets/turned.csv || fail "another table in another order"
try 2 init X.npy y.npy --name no --target z
says err "no array 'z'; there are X, y"
try 2 init X.npy --name no
says err 'one array; two are needed'
{ header '|O' '(60,)'; } >y2.npy
try 2 init X.npy y2.npy --target y2 --name no
says err "y2.npy: its values are of type '|O'; numbers, booleans and texts are read"
# An archive whose member says that it unpacks to 5 GiB, or to 4 GiB and a byte, is refused before a byte is unpacked; one
# of 4 GiB is looked for, and is not there. Two entries of the list, and the end of the list: no member has any bytes.
zeros() { i=0; while [ "$i" -lt "$1" ]; do printf '\0'; i=$((i + 1)); done; }
entry() { # NAME SIZE64: the size in the extra field, 8 bytes as printf writes them
  printf 'PK\1\2\55\0\55\0' && zeros 16 && printf '\377\377\377\377\5\0\14\0' && zeros 14
  printf '%s' "$1" && printf '\1\0\10\0' && printf "$2"
}
for size in '\0\0\0\100\1\0\0\0' '\1\0\0\0\1\0\0\0' '\0\0\0\0\1\0\0\0'; do
  { entry X.npy "$size" && entry y.npy '\0\0\0\0\0\0\0\0' && printf 'PK\5\6\0\0\0\0\2\0\2\0\176\0\0\0' && zeros 6; } >huge.npz
  try 2 init huge.npz --name no
  case $size in
  '\0\0\0\0'*) grep -q 'at most 4 GB' "$scratch/err" && fail "4 GiB are refused" ;;
  *) said 'huge.npz: X.npy unpacks to [45] GB; at most 4 GB are unpacked. Save it as .npy' ;;
  esac
done
ls datasets experiments | grep -q '^no' && fail "a failure left files"
# Changed arrays are accepted by --update.
{ header '<u2' '(60,)'; printf "$(bytes y | sed 's/^....../\\007\\000/')"; } >y.npy
try 0 init X.npy y.npy --name table --update
grep -q '^0,0,7$' datasets/table.csv || fail "the table is not new: $(head -3 datasets/table.csv)"
try 0 check table

# A table that init did not make is not replaced.
awk 'BEGIN { print "x0,x1,y"; for (i = 0; i < 60; i++) print i * 37 % 101 "," i * 53 % 97 "," i }' >datasets/own.csv
try 0 init datasets/own.csv --target y
cp datasets/own.csv own.kept
try 2 init X.npy y.npy --name own --update
said 'does not say that init made its table from arrays, so .*datasets/own.csv is left alone'
cmp -s datasets/own.csv own.kept || fail "the user's own table was replaced"

# A request to end leaves nothing, so the same command can be given again. Ended before it: once more.
for attempt in 1 2 3 4 5; do
  rm -f datasets/ended.* && rm -rf experiments/ended
  "$BATCHLAB" init X.npy y.npy --name ended >"$scratch/out" 2>"$scratch/err" &
  while [ ! -e datasets/ended.csv ] && kill -0 $! 2>/dev/null; do :; done
  kill -TERM $! 2>/dev/null
  wait $!
  status=$?
  [ $status = 0 ] || break
done
[ $status = 143 ] || fail "SIGTERM: exit $status"
ls datasets experiments | grep -q '^ended' && fail "SIGTERM left $(ls -d datasets/ended* experiments/ended*)"

# Names with the letters of "val" or "test" in them are no words for held-out rows; two that are, are a pair.
cp X.npy values.npy && cp y.npy labels.npy && cp X.npy X_val.npy && cp y.npy y_val.npy
try 0 init values.npy labels.npy --name named
try 0 init X_val.npy y_val.npy --name valid
try 2 init small.npz b.npz --name no
says err 'small.npz is an archive of arrays: it is given alone'
# A row as wide as no table is refused by the array's name, before a table is written.
{ header '|u1' '(60, 5000)'; head -c 300000 /dev/zero; } >wide.npy
try 2 init wide.npy y.npy --name no
says err 'wide.npy has 5000 values a row; a table has at most 4095 inputs'

# Pictures in an archive, packed by zlib.
cp "$corpus/npy/packed.npz" small.npz
try 0 init small.npz --name pictures
said "target 2 classes: '0' 50 %, '1' 50 %"
said '20 rows for training, 4 held out (drawn at random, the same share of each class)'
grep -q 'height = 6; width = 6; channels = 1; classes = 2;' datasets/pictures.cfg || fail "the declaration of pictures"
"$BATCHLAB" run pictures --preset tiny --progress none >"$scratch/out" 2>"$scratch/err"
case $? in 0 | 5) ;; *) cat "$scratch/err"; fail "pictures are not trained on" ;; esac
try 2 init small.npz --size 9 --name no
says err '--size has no effect on arrays'
try 2 init small.npz --classes --name no
says err '--classes has no effect on arrays of pictures'
try 2 init small.npz --name pictures --update
says err 'pictures are packed once'

# A folder of pictures, of several formats, with files that are none.
mkdir -p pets/cat pets/dog empty/cat
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
  cp "$corpus/photo/grey.png" "pets/cat/$i.png"
  cp "$corpus/photo/rgb.jpg" "pets/dog/$i.JPG"
done
cp "$corpus/photo/short.jpg" pets/dog/short.jpg
echo no picture >pets/dog/notes.txt
if "$BATCHLAB" init pets --name pets >"$scratch/out" 2>"$scratch/err"; then
  said 'pictures pets: 24 of 12 x 20, in colour'
  said 'warning: 1 file is left out: not called .png, .jpg or .jpeg'
  said 'warning: 1 picture is left out; the first: pets/dog/short.jpg: a JPEG file that cannot be read'
  said "target 2 classes: 'cat' 50 %, 'dog' 50 %"
  grep -q '^# class 1: dog$' datasets/pets.cfg || fail "classes have no names"
  try 0 check pets
  try 0 init pets/ --size 9 --name nine
  said '24 of 9 x 9, in colour, scaled to that'
  cp -r pets slash && try 0 init slash/
  [ -e datasets/slash.cfg ] || fail "a slash behind the folder's name counts as part of it"
  # A tenth of the pictures may be damaged: 3 of 30, and not 4 of 31.
  mkdir tenth && cp -r pets/cat pets/dog tenth
  for i in 13 14 15; do cp pets/cat/1.png tenth/cat/$i.png; done
  echo damaged >tenth/dog/bad1.png
  mkdir tenth/dog/bad2.png
  try 0 init tenth
  said 'warning: 3 pictures are left out'
  echo damaged >tenth/dog/bad3.png
  try 2 init tenth --name no
  try 2 init pets --group kind --name no
  says err '--group has no effect on a folder of pictures'
  try 2 init pets --size 4 --name no
  says err "not '4'"
  mkdir -p nested/train && cp -r pets/* nested/train
  try 0 init nested
  said 'the pictures in nested/train are used'
else
  says err 'built without libpng and libjpeg'
  echo "# no libpng and libjpeg here: folders of pictures are not read"
fi
try 2 init empty --name no
says err 'there are no folders of pictures in it; each class has a folder of its own'
try 2 init pets X.npy --name no
says err 'pets is a folder: it is given alone'
ls datasets experiments | grep -q '^no' && fail "a failure left files"
exit $failed
