# The house's order, checked over the text of all sources: tests/layers.sh calls this with the files as arguments.
#
#   1. A file includes only what its room may (tests/layers.txt). A room is the longest path in that list.
#   2. No circle of files: a header and the source of the same path count as one file. No circle of rooms.
#   3. A private header (foo_p.h, or a first line that says "private to the room") stays in its room.
#   4. The noun of a public name (bl_NOUN_verb in a header) belongs to one room (tests/prefixes.txt).
#   5. File names are unique in the tree; only a kernel family's implementations, one a back end, share theirs.
#   6. A header's guard follows its path: engine/base/json.h has BL_ENGINE_BASE_JSON_H.
#
# Circles are the strongly connected components of the graph of includes (Tarjan 1972). All faults are printed; the
# exit status says whether there was one. Lines of tests/layers_known.txt, if it is there, are faults that are being mended:
# "circle FILE..." lets these files be in circles with each other, "prefix NOUN", "name FILE" and the like let that be.

function fault(kind, key, text) {
    if ((kind " " key) in known) { used[kind " " key] = 1; return }
    print "layers: " text
    bad = 1
}

function node_of(path) { sub(/\.(c|h|cu|cc)$/, "", path); return path }

# The longest room of tests/layers.txt that the path lies in; itself where none has it.
function room_of(path,   r, best) {
    for (r in allowed)
        if (index(path, r "/") == 1 && length(r) > length(best)) best = r
    return best
}

function may_include(room, path,   list, n, i) {
    n = split(allowed[room], list, " ")
    for (i = 1; i <= n; i++) {
        if (path == list[i]) return 1
        if (index(path, list[i] "/") != 1) continue
        # A folder stands for its files, not for a room of its own inside it.
        if (room_of(path) == list[i] || !(list[i] in allowed)) return 1
    }
    return 0
}

function add_edge(graph, from, to) {
    if (from == to || (graph, from, to) in edge) return
    edge[graph, from, to] = 1
    out[graph, from] = out[graph, from] " " to
    if (!((graph, from) in seen)) { seen[graph, from] = 1; nodes[graph] = nodes[graph] " " from }
    if (!((graph, to) in seen)) { seen[graph, to] = 1; nodes[graph] = nodes[graph] " " to }
}

# One step of Tarjan's search: numbers v and all that it reaches, and reports the component that v roots.
function visit(graph, v,   list, n, i, w, members, count) {
    order[graph, v] = low[graph, v] = ++clock
    stack[++top] = v
    waiting[graph, v] = 1
    n = split(out[graph, v], list, " ")
    for (i = 1; i <= n; i++) {
        w = list[i]
        if (!((graph, w) in order)) {
            visit(graph, w)
            if (low[graph, w] < low[graph, v]) low[graph, v] = low[graph, w]
        } else if (waiting[graph, w] && order[graph, w] < low[graph, v]) low[graph, v] = order[graph, w]
    }
    if (low[graph, v] != order[graph, v]) return
    do {
        w = stack[top--]
        waiting[graph, w] = 0
        members = members " " w
        count++
    } while (w != v)
    if (count > 1) circle(graph, members)
}

# A circle is tolerated if one known line has all its members.
function circle(graph, members,   list, n, i, k, words, inside) {
    n = split(members, list, " ")
    for (k in known) {
        words = k " "
        if (index(words, "circle ") != 1) continue
        inside = 1
        for (i = 1; i <= n; i++)
            if (index(words, " " list[i] " ") == 0) inside = 0
        if (inside) { used[k] = 1; return }
    }
    print "layers: circle of " graph ":" members
    print "layers:   the shortest: " shortest(graph, members " ")
    bad = 1
}

# The shortest way from a member back to itself, by breadth-first search from each.
function shortest(graph, members,   list, n, i, way, best) {
    n = split(members, list, " ")
    for (i = 1; i <= n; i++) {
        way = way_back(graph, list[i], members)
        if (best == "" || split(way, part, " ") < split(best, part, " ")) best = way
    }
    return best
}

function way_back(graph, start, members,   queue, head, tail, came, v, list, n, i, w, way) {
    queue[tail = 1] = start
    for (head = 1; head <= tail; head++) {
        v = queue[head]
        n = split(out[graph, v], list, " ")
        for (i = 1; i <= n; i++) {
            w = list[i]
            if (index(members, " " w " ") == 0 || w in came) continue
            came[w] = v
            queue[++tail] = w
            if (w != start) continue
            way = start
            do { way = came[w] " ->" reason(graph, came[w], w) " " way; w = came[w] } while (w != start)
            return way
        }
    }
}

function reason(graph, from, to) { return graph == "rooms" ? "[" because[from, to] "]" : "" }

# Public names: what a header of engine or kernels declares in its first column.
function public_name(line,   name) {
    if (line ~ /^[#\/ \t*]/) return ""
    if (match(line, /bl_[a-z0-9_]+\(/)) name = substr(line, RSTART, RLENGTH - 1)
    else if (match(line, /^} bl_[a-z0-9_]+;/)) name = substr(line, RSTART + 2, RLENGTH - 3)
    else if (match(line, /^typedef .*bl_[a-z0-9_]+;/)) { name = line; sub(/;.*/, "", name); sub(/.*[ *]/, "", name) }
    else if (match(line, /^extern .*bl_[a-z0-9_]+/)) { name = substr(line, RSTART, RLENGTH); sub(/.*bl_/, "bl_", name) }
    return name ~ /^bl_/ ? name : ""
}

function check_prefix(name, path, room,   noun) {
    noun = substr(name, 4)
    sub(/_.*/, "", noun)
    if (!(noun in owner) && room in owns_the_rest) owner[noun] = room
    if (noun in owner && owner[noun] != room)
        fault("prefix", noun " " room, path ": " name ": the prefix bl_" noun " belongs to " owner[noun])
    else if (!(noun in owner))
        fault("prefix", noun " " room, path ": " name ": the prefix bl_" noun " is new: give it to " room " in tests/prefixes.txt")
}

function check_name(path,   base, implementation) {
    base = path
    sub(/.*\//, "", base)
    implementation = path ~ /^kernels\/(ref|cpu|cuda|vendor)\/[^\/]*\.(c|cu)$/
    if (base in place && !(implementation && implements[base]))
        fault("name", path, path " has the file name of " place[base])
    place[base] = path
    implements[base] = implementation
}

function check_guard(path, guard,   want) {
    want = "BL_" toupper(path)
    gsub(/[^A-Z0-9]/, "_", want)
    if (guard != want) fault("guard", path, path ": the guard is " (guard == "" ? "missing" : guard) ", not " want)
}

FILENAME == "tests/layers.txt" { split($0, part, "\t"); allowed[part[1]] = part[2]; next }
FILENAME == "tests/prefixes.txt" {
    if (/^#/) next
    for (i = 2; i <= NF; i++) {
        if ($i == "*") { owns_the_rest[$1] = 1; continue }
        if ($i in owner) { print "layers: tests/prefixes.txt gives bl_" $i " to two rooms"; bad = 1 }
        owner[$i] = $1
    }
    next
}
FILENAME == "tests/layers_known.txt" { if ($0 !~ /^#|^$/) known[$0] = 1; next }

FNR == 1 {
    if (path ~ /\.h$/) check_guard(path, guard)
    path = FILENAME
    guard = ""
    room = room_of(path)
    product = path ~ /^(engine|kernels)\//
    private[path] = path ~ /_p\.h$/ || $0 ~ /private to the room/
    if (/private( to( the)?)?$/) fault("private", path, path ": the first line has to say \"private to the room\" whole")
    check_name(path)
}
guard == "" && /^#ifndef / { guard = $2 }
/^#include "/ {
    split($0, part, "\"")
    to = part[2]
    if (to == "bl_build.h" || to == "updates_list.h") next # the Makefile makes them
    if (room != "" && !may_include(room, to))
        fault("include", path " " to, path " may not include \"" to "\" (" room " may include: " allowed[room] ")")
    included[path, ++includes[path]] = to
    if (product) {
        add_edge("files", node_of(path), node_of(to))
        if (room_of(to) != "" && room_of(to) != room) {
            if (!((room, room_of(to)) in because)) because[room, room_of(to)] = path ":" to
            add_edge("rooms", room, room_of(to))
        }
    }
    next
}
product && path ~ /\.h$/ {
    name = public_name($0)
    if (name == "") next
    declared[++declarations] = name
    at[declarations] = path
}

END {
    if (path ~ /\.h$/) check_guard(path, guard)
    for (path in includes)
        for (i = 1; i <= includes[path]; i++) {
            to = included[path, i]
            if (private[to] && room_of(path) != room_of(to))
                fault("private", path " " to, path " includes \"" to "\", which is private to " room_of(to))
        }
    # First the room that owns the rest, so that the rest is known to the others.
    for (g = 1; g <= 2; g++)
        for (i = 1; i <= declarations; i++) {
            room = room_of(at[i])
            if ((g == 1) == (room in owns_the_rest)) check_prefix(declared[i], at[i], room)
        }
    for (g = 1; g <= 2; g++) {
        graph = g == 1 ? "files" : "rooms"
        n = split(nodes[graph], list, " ")
        for (i = 1; i <= n; i++)
            if (!((graph, list[i]) in order)) visit(graph, list[i])
    }
    for (k in known)
        if (!(k in used)) print "layers: note: no longer needed in tests/layers_known.txt: " k
    exit bad
}
