# awk -v label=PATH -f unused-settings.awk COMPOSE_FILE… SETTINGS_FILE: prints each line of the settings file that sets a
# variable that the Compose files do not use, and the name that was probably meant; never a value. Hosts have no Node, so
# this repeats libs/deploy/src/release/settings-file.ts; docker/src/settings.spec.ts compares the two.
BEGIN {
  for (at = 1; at < ARGC - 1; at++) {
    add_file(ARGV[at])
    ARGV[at] = ""
  }
  for (at = 1; at <= count; at++) while ((getline line < files[at]) > 0) read_names(line, files[at])
}

# A byte order mark.
FNR == 1 { sub(/^[^ -~\t]+/, "") }

# The other lines of a quoted value.
quote { if (closes($0)) quote = ""; next }

match($0, /^[ \t]*(export[ \t]+)?[A-Za-z0-9_.-]+[ \t]*[=:]/) {
  name = substr($0, 1, RLENGTH - 1)
  value = substr($0, RLENGTH + 1)
  gsub(/^[ \t]*(export[ \t]+)?|[ \t]+$/, "", name)
  sub(/^[ \t]+/, "", value)
  if (value ~ /^["']/) {
    quote = substr(value, 1, 1)
    if (closes(substr(value, 2))) quote = ""
  }
  if (is_used(name)) next
  near = nearest(toupper(name))
  # A line of a broken value can look like a name: base64 ends in =.
  shown = !near && name ~ /[a-z]/ && name ~ /[A-Z]/ ? "[not shown]" : name
  print label ":" FNR ": sets " shown ", which no Compose file of this stack uses; expected " (near ? near : "it to be left out")
}

function add_file(file) {
  while (sub(/[^\/.]+\/\.\.\//, "", file)) continue
  if (!(file in added)) files[++count] = file
  added[file]
}

# ${NAME}, $NAME, a NAME without a value, which Compose passes to the service, and files, such as those of `extends`.
function read_names(line, file, name) {
  if (line ~ /^[ \t]*#/) return
  gsub(/\$\$/, "", line)
  if (line ~ /^[ \t]*(-[ \t]+)?["']?[A-Za-z_][A-Za-z0-9_]*["']?(:([ \t]+(null|~))?)?[ \t]*(#.*)?\r?$/) {
    match(line, /[A-Za-z_][A-Za-z0-9_]*/)
    known[substr(line, RSTART, RLENGTH)]
  }
  while (match(line, /\$\{?[A-Za-z_][A-Za-z0-9_]*|[A-Za-z0-9_.][A-Za-z0-9_.\/-]*\.ya?ml/)) {
    name = substr(line, RSTART, RLENGTH)
    line = substr(line, RSTART + RLENGTH)
    if (sub(/^\$\{?/, "", name)) known[name]
    else { sub(/[^\/]*$/, "", file); add_file(file name) }
  }
}

function closes(text) {
  if (quote == "\"") gsub(/\\./, "", text)
  return index(text, quote) > 0
}

# Compose itself reads COMPOSE_* variables, except those that docker/compose gives it as options.
function is_used(name) {
  if (name ~ /^COMPOSE_/) return name !~ /^COMPOSE_(PROJECT_NAME|FILE|ENV_FILES)$/
  return name in known
}

function nearest(name, candidate, best, slips, least) {
  sub(/_FILE$/, "", name)
  least = 3
  for (candidate in known) {
    slips = distance(name, candidate)
    # In short names two slips make another word.
    if (slips * 3 >= length(candidate) || !is_used(candidate)) continue
    if (slips < least || (slips == least && candidate < best)) { best = candidate; least = slips }
  }
  return best
}

# Insertions, deletions, replacements and swaps of neighbours.
function distance(a, b, i, j, cost, rows) {
  for (i = 0; i <= length(a); i++) rows[i, 0] = i
  for (j = 0; j <= length(b); j++) rows[0, j] = j
  for (i = 1; i <= length(a); i++)
    for (j = 1; j <= length(b); j++) {
      cost = substr(a, i, 1) != substr(b, j, 1)
      rows[i, j] = least_of(rows[i - 1, j] + 1, rows[i, j - 1] + 1, rows[i - 1, j - 1] + cost)
      if (i > 1 && j > 1 && substr(a, i - 1, 1) == substr(b, j, 1) && substr(a, i, 1) == substr(b, j - 1, 1))
        rows[i, j] = least_of(rows[i, j], rows[i - 2, j - 2] + 1, rows[i, j])
    }
  return rows[length(a), length(b)]
}

function least_of(a, b, c) { return a < b ? (a < c ? a : c) : (b < c ? b : c) }
