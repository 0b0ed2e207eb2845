-- Runs that were finished elsewhere (docs/import.md): nothing is trained, so nothing is searched. Every
-- run is asked for as far as it went, and the best of each batch size is the one with the fewest steps
-- to the target, by the rule of every race (candidates.lua). Only candidates with the most seeds count:
-- one that ran once does not win by luck against three. What was cut there says "more than this".
local candidates = require "candidates"
local check = require "check"
local critical = require "critical_batch"
local imported = {}

-- Runs that differ in nothing but the seed are one candidate.
local function key_of(run)
  local names, text = {}, { string.format("%.17g", run.learning_rate) }
  for name in pairs(run.settings or {}) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do text[#text + 1] = name .. "=" .. tostring(run.settings[name]) end
  return table.concat(text, " ")
end

-- The candidates of one size in ascending order of rate, and every seed that any of them has.
local function group(runs)
  local groups, by_key, seeds, known = {}, {}, {}, {}
  for _, run in ipairs(runs) do
    local key = key_of(run)
    if not by_key[key] then
      local set = { learning_rate = run.learning_rate }
      for name, value in pairs(run.settings or {}) do set[name] = value end
      by_key[key] = { set = set, seeds = {}, key = key, count = 0 }
      groups[#groups + 1] = by_key[key]
    end
    by_key[key].seeds[run.seed] = true
    by_key[key].count = by_key[key].count + 1
    if not known[run.seed] then seeds[#seeds + 1] = run.seed end
    known[run.seed] = true
  end
  table.sort(groups, function(a, b)
    local x, y = a.set.learning_rate, b.set.learning_rate
    return x < y or (x == y and a.key < b.key)
  end)
  table.sort(seeds)
  return groups, seeds
end

-- Whether rates on both sides of the best were tried.
local function is_bracketed(groups, rate)
  return groups[1].set.learning_rate < rate and groups[#groups].set.learning_rate > rate
end

local function read(exp, size, runs, target, max_steps)
  local groups, seeds = group(runs)
  local c = candidates.new(exp, { batch_size = size, target = target, seeds = seeds, slack = 1,
    max_steps = max_steps, title = "batch " .. size .. ", imported" })
  local wanted = {}
  for k, g in ipairs(groups) do
    for i, seed in ipairs(seeds) do
      if g.seeds[seed] then
        wanted[#wanted + 1] = { key = k, set = g.set, seed = i, reason = "imported" }
      end
    end
  end
  c:run(wanted, false)
  local most = 0
  for _, g in ipairs(groups) do most = math.max(most, g.count) end
  for k, g in ipairs(groups) do
    if g.count < most then c.by_key[k] = nil end
  end
  return c, groups
end

-- imported(exp, { runs = { { batch_size =, learning_rate =, seed =, settings = { ... } or nil }, ... },
--   max_steps = of the longest run, targets = default sweep.targets }): as critical_batch.
function imported.imported(exp, options)
  local o = check.options(options, { "runs", "max_steps", "targets" }, "imported")
  local targets = check.targets(exp, o.targets or exp.config["sweep.targets"])
  if #targets == 0 then error("no target: set sweep.targets, or pass targets = ...") end
  local sizes, by_size = {}, {}
  for _, run in ipairs(o.runs or {}) do
    local size = check.batch_size(exp, run.batch_size)
    if not by_size[size] then sizes[#sizes + 1], by_size[size] = size, {} end
    table.insert(by_size[size], run)
  end
  if #sizes == 0 then error("imported needs runs") end
  table.sort(sizes)
  local all, first = {}, {}
  for t = 1, #targets do all[t] = {} end
  for _, size in ipairs(sizes) do
    local c, groups = read(exp, size, by_size[size], targets[#targets], o.max_steps)
    for t, target in ipairs(targets) do
      c:set_target(target)
      local best = c:answer()
      best.bracketed = is_bracketed(groups, best.learning_rate)
      critical.report(exp, best, first[t], t == #targets)
      table.insert(all[t], best)
      if not best.censored then first[t] = first[t] or best end
    end
  end
  exp:note(string.format("%d imported runs: nothing was trained here", #o.runs))
  for t, target in ipairs(targets) do critical.summary(exp, all[t], target, t == #targets) end
  return all[#targets], all
end

return imported
