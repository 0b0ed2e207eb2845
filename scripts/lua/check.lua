-- What the modules beside this one share: options that are checked, and numbers as people read them.
-- An option, size or seed that makes no sense is an error that names the function and the value.
local check = {}

-- Levenshtein's distance: letters to change, insert or leave out to make one word of the other.
local function distance(a, b)
  local row = {}
  for j = 0, #b do row[j] = j end
  for i = 1, #a do
    local corner = row[0]
    row[0] = i
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      local least = math.min(row[j] + 1, row[j - 1] + 1, corner + (same and 0 or 1))
      corner, row[j] = row[j], least
    end
  end
  return row[#b]
end

-- Former names of options and functions.
local renamed = { points = "from", point = "from", cover = "lr_search", within = "budgets", test = "evaluate_test_set" }

-- What to say after an unknown name: its new name, the nearest of `known`, or all of `known`.
function check.suggestion(name, known)
  for _, word in ipairs(known) do
    if word == renamed[name] then return ": it is called '" .. word .. "'" end
  end
  local best, least = nil, 1 + #name // 3
  for _, word in ipairs(known) do
    local d = distance(name, word)
    if d <= least then best, least = word, d - 1 end
  end
  if best then return ", did you mean '" .. best .. "'?" end
  return "; it has " .. table.concat(known, ", ")
end

-- options(given, {"batch", "seeds"}, "critical_batch"): a misspelt option is an error, not a default.
function check.options(given, allowed, who)
  given = given or {}
  if type(given) ~= "table" then error(who .. " takes a table of options") end
  local known = {}
  for _, name in ipairs(allowed) do known[name] = true end
  for name in pairs(given) do
    if not known[name] then
      error(who .. " has no option '" .. name .. "'" .. check.suggestion(tostring(name), allowed))
    end
  end
  return given
end

-- A finite number at least (or, with `above`, greater than) `least`.
function check.number(value, least, what, above)
  local fits = type(value) == "number" and value >= least and value < math.huge
  if not fits or (above and value == least) then
    local limit = least > -math.huge and (above and " above " or " of at least ") .. least or ""
    error(what .. " has to be a finite number" .. limit)
  end
  return value
end

function check.whole(value, least, what)
  check.number(value, least, what)
  if math.type(value) ~= "integer" then
    if value ~= math.floor(value) then error(what .. " has to be a whole number") end
    value = math.tointeger(value) or error(what .. " is larger than any whole number, 2^63 - 1")
  end
  return value
end

function check.batch_size(exp, value)
  local size = check.whole(value, 1, "a batch size")
  if size > exp.epoch_rows then
    error("batch size " .. size .. " is larger than the data set (" .. exp.epoch_rows .. " training rows)")
  end
  return size
end

function check.batch_sizes(exp, list)
  if type(list) ~= "table" or #list == 0 then error("a list of batch sizes is needed") end
  local sizes = {}
  for i, value in ipairs(list) do
    local size = check.batch_size(exp, value)
    if i > 1 and size <= sizes[i - 1] then error("batch sizes have to increase") end
    sizes[i] = size
  end
  return sizes
end

-- What names a series goes into figures and tables: "nesterov, " in front of a line about it.
function check.series(name)
  if name == nil then return "" end
  if type(name) ~= "string" or not name:match("^[%w][%w _.+-]*$") or #name > 40 then
    error("a series is named with letters, digits, spaces, and any of _ . + -")
  end
  return name .. ", "
end

-- Targets of the metric, easiest first.
function check.targets(exp, list)
  if type(list) ~= "table" then error("targets are a list, easiest first") end
  for i, target in ipairs(list) do
    check.number(target, -math.huge, "target", true)
    if target < 0 then
      error(string.format("target %g cannot be reached: %s is never below 0", target, exp.config["metric"]))
    end
    if i > 1 and target >= list[i - 1] then error("targets have to decrease: easiest first") end
  end
  return list
end

-- Seeds as a list; a number n is n seeds from the experiment's own upwards.
function check.seeds(exp, seeds)
  seeds = seeds or exp.config["sweep.seeds"]
  local list = {}
  if type(seeds) == "table" then
    for i, seed in ipairs(seeds) do list[i] = check.whole(seed, 0, "a seed") end
  else
    for i = 1, check.whole(seeds, 1, "the number of seeds") do
      list[i] = exp.config["train.seed"] + i - 1
    end
  end
  if #list == 0 then error("a list of seeds needs at least one") end
  return list
end

-- How far a race for the learning rate looks, by the configuration: "local" or "exhaustive".
function check.lr_search(exp) return exp.config["sweep.lr_search"] end

-- 12345 as "12,345"
function check.commas(n)
  local text = string.format("%d", n)
  repeat
    local more
    text, more = text:gsub("^(-?%d+)(%d%d%d)", "%1,%2")
  until more == 0
  return text
end

-- Median; of an even number the geometric mean of the middle two. math.huge stands for "not reached".
function check.median(values)
  table.sort(values)
  local n = #values
  local low, high = values[(n + 1) // 2], values[n // 2 + 1]
  if low == high or high == math.huge then return high end
  return math.sqrt(low) * math.sqrt(high)
end

-- The mean of a list. Of whole numbers its sum is exact, in any order.
function check.mean(values)
  local sum = 0
  for _, value in ipairs(values) do sum = sum + value end
  return sum / #values
end

return check
