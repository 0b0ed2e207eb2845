-- What the modules beside this one share: options that are checked, numbers as people read them.
local check = {}

-- options(given, {"batch", "seeds"}, "critical_batch"): a misspelt option is an error, not a default.
function check.options(given, allowed, who)
  given = given or {}
  if type(given) ~= "table" then error(who .. " takes a table of options") end
  local known = {}
  for _, name in ipairs(allowed) do known[name] = true end
  for name in pairs(given) do
    if not known[name] then
      error(who .. " has no option '" .. name .. "'; it has " .. table.concat(allowed, ", "))
    end
  end
  return given
end

-- A finite number at least (or, with `above`, greater than) `least`.
function check.number(value, least, what, above)
  local fits = type(value) == "number" and value >= least and value < math.huge
  if not fits or (above and value == least) then
    error(what .. " has to be a finite number " .. (above and "above " or "of at least ") .. least)
  end
  return value
end

function check.whole(value, least, what)
  check.number(value, least, what)
  if math.type(value) ~= "integer" then
    if value ~= math.floor(value) then error(what .. " has to be a whole number") end
    value = math.tointeger(value)
  end
  return value
end

function check.batch_sizes(exp, list)
  if type(list) ~= "table" or #list == 0 then error("a list of batch sizes is needed") end
  local sizes = {}
  for i, value in ipairs(list) do
    local size = check.whole(value, 1, "a batch size")
    if size > exp.epoch_rows then
      error("batch size " .. size .. " is larger than the data set (" .. exp.epoch_rows .. " training rows)")
    end
    if i > 1 and size <= sizes[i - 1] then error("batch sizes have to increase") end
    sizes[i] = size
  end
  return sizes
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
  if low == high then return low end
  return math.sqrt(low) * math.sqrt(high)
end

return check
