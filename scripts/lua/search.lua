-- Quasi-random search for the best settings of one batch size in a declared box (docs/sweeps.md).
--
-- 1. Points of Sobol's sequence are drawn, the same points of the unit cube for every batch size, until
--    `trials` of them did not diverge. They race toward the target with the first seed.
-- 2. The first few of the ranking, the finalists, run with every seed, until the ranking stays.
-- 3. A best point near an edge moves that edge out, and the search is repeated in the wider box.
--
-- Example: box { sweep.log("learning_rate", 2^-12, 2^-8) }, best point at 2^-8.1. The upper edge moves by half
-- the width, to 2^-6, and 16 more points are drawn from 2^-12 to 2^-6.
-- An axis is { name, setting = full path, scale, low, high, least, most, ... }; low to most are on its scale.
local check = require "check"
local candidates = require "candidates"
local grid = require "grid"
local search = {}

local EDGE = 0.1 -- share of the box's width beside an edge within which the best may lie outside
local MAX_DRAWN = 4 -- points drawn for each one wanted, before giving up

local function axis(name, low, high, scale, who)
  if type(name) ~= "string" then error(who .. " takes the name of a setting, a low and a high end") end
  check.number(low, scale == "log" and 0 or -math.huge, who .. "'s low end of " .. name, true)
  check.number(high, low, who .. "'s high end of " .. name, true)
  return { name = name, low = low, high = high, scale = scale }
end

-- Axes of a box. "1-momentum" is searched in place of momentum.
function search.log(name, low, high) return axis(name, low, high, "log", "log") end
function search.linear(name, low, high) return axis(name, low, high, "linear", "linear") end

-- A value on the axis' scale. A logarithm may be wrong in its last bit; rounding it to 20 binary digits gives
-- the same bits on every machine.
local function to_scale(a, x)
  if a.scale == "linear" then return x end
  if x <= 0 then return -math.huge end
  return math.floor(math.log(x, 2) * 2 ^ 20 + 0.5) / 2 ^ 20
end

-- The axes of a declared box, checked against the limits of their settings.
local function read_box(exp, box)
  if type(box) ~= "table" or #box == 0 then
    error("a box is a list of axes: { sweep.log(\"learning_rate\", 2^-12, 2^-4), ... }")
  end
  if #box > 16 then error("a box has at most 16 axes") end
  local axes, seen = {}, {}
  for i, given in ipairs(box) do
    local scale = type(given) == "table" and given.scale
    if scale ~= "log" and scale ~= "linear" then error("axis " .. i .. " of the box: use sweep.log or sweep.linear") end
    local setting = given.name:match("^1%s*%-%s*(.+)$")
    local a = { name = given.name, scale = scale, complement = setting ~= nil }
    local least, most, path = exp:limits(setting or given.name)
    local now = exp.config[path]
    if seen[path] then error("the box has two axes for " .. path) end
    a.setting = path == "train.learning_rate" and "learning_rate" or path
    seen[path], a.list, a.whole = true, type(now) == "table", math.type(now) == "integer"
    if a.complement then least, most = 1 - most, 1 - least end
    if given.low < least or given.high > most then
      error(string.format("%s: %g to %g is not within its limits, %g to %g", a.name, given.low, given.high, least, most))
    end
    a.low, a.high, a.least, a.most = to_scale(a, given.low), to_scale(a, given.high), to_scale(a, least), to_scale(a, most)
    axes[i] = a
  end
  return axes
end

-- The setting at a share `unit` (0 to 1) of the axis.
local function value_at(a, unit)
  local at = a.low + (a.high - a.low) * unit
  if a.scale == "log" then at = grid.power(math.floor(at * 2 ^ 20 + 0.5) / 2 ^ 20) end
  if a.complement then at = 1 - at end
  if a.whole then at = math.tointeger(math.floor(at + 0.5)) end
  return a.list and { at } or at
end

-- Point i of the box as settings by path, learning_rate under its short name.
local function settings_of(exp, axes, i)
  local set = { learning_rate = exp.config["train.learning_rate"] }
  for d, a in ipairs(axes) do set[a.setting] = value_at(a, math.sobol(i, d)) end
  return set
end

-- Runs points until `n` of them neither diverged nor failed nor were too large for memory, or MAX_DRAWN n were drawn. The
-- key of a point counts on from box to box, so that points of a narrower box stay in the ranking.
local function draw_points(self, n)
  local drawn, feasible = 0, 0
  while feasible < n and drawn < MAX_DRAWN * n and not self:out_of_memory() do
    local wanted, bound = {}, self:step_bound()
    for i = drawn + 1, math.min(drawn + n - feasible, MAX_DRAWN * n) do
      wanted[#wanted + 1] = {
        key = self.widened * MAX_DRAWN * n + i, set = settings_of(self.exp, self.axes, i), seed = 1, bound = bound,
        reason = string.format("point %d of the box%s, %d feasible wanted%s", i,
          self.widened > 0 and ", widened" or "", n,
          i > n and string.format(": %d diverged", drawn - feasible) or ""),
      }
    end
    self:run(wanted, self.target ~= nil)
    for _, w in ipairs(wanted) do
      local point = self.by_key[w.key]
      point.index, point.widened = w.key - self.widened * MAX_DRAWN * n, self.widened
      local outcome = point.results[1].outcome
      if outcome ~= "diverged" and outcome ~= "memory" and outcome ~= "failed" then feasible = feasible + 1 end
      if outcome == "diverged" then self.diverged = self.diverged + 1 end
    end
    drawn = drawn + #wanted
  end
  self.feasible, self.short = self.feasible + feasible, self.short or feasible < n
end

-- Runs the first `finalists` of the ranking with every seed, until the ranking stays.
local function run_finalists(self, finalists)
  while not self:out_of_memory() do
    local wanted = {}
    for rank, point in ipairs(self:ranking()) do
      local arrived = not self.target or point.steps < math.huge
      if rank == 1 or (rank <= finalists and arrived) then
        self:add_missing_seeds(wanted, point, rank == 1, string.format("point %d is number %d so far", point.index, rank))
      end
    end
    if #wanted == 0 then return end
    self:run(wanted, false)
  end
end

-- Names of the axes at whose edge the leader lies; with `widen`, moves those edges. The second
-- result says whether any of them could move.
local function find_edges(self, widen)
  local names, moved, best = {}, false, self:leader()
  if best.widened ~= self.widened then return names, false end
  for d, a in ipairs(self.axes) do
    local unit, half = math.sobol(best.index, d), (a.high - a.low) / 2
    local low, high = a.low, a.high
    if unit < EDGE then low = math.max(a.least, a.low - half) end
    if unit > 1 - EDGE then high = math.min(a.most, a.high + half) end
    -- A setting's own limit (dropout 0) is not an edge of the box.
    if low ~= a.low or high ~= a.high then
      names[#names + 1] = a.name
      if widen then a.low, a.high, moved = low, high, true end
    end
  end
  return names, moved
end

local function answer(self, names)
  local out = self:answer()
  out.bracketed, out.box = #names == 0, { feasible = self.feasible, diverged = self.diverged,
    widened = self.widened, edge = names, short = self.short }
  return out
end

-- How the best of a search was found, in words.
function search.describe(best)
  local box = best.box
  local text = string.format("best of %d feasible points, %d diverged", box.feasible, box.diverged)
  if box.widened > 0 then text = text .. string.format(", box widened %d time%s", box.widened, box.widened == 1 and "" or "s") end
  if #box.edge > 0 then text = text .. ", still at the edge of " .. table.concat(box.edge, " and ") end
  if box.short then text = text .. ", too few feasible" end
  return text
end

local options = { "batch_size", "target", "targets", "box", "trials", "seeds", "slack", "widen", "finalists",
  "max_steps", "max_epochs", "settings", "title", "lowest" }

-- As search, for several targets at once, easiest first: the hardest decides what runs.
function search.search_all(exp, given)
  local o = check.options(given, options, "search")
  local targets = check.targets(exp, o.targets or { o.target })
  if #targets == 0 and not o.max_steps and not o.max_epochs then
    error("search needs a target, or a budget: max_steps or max_epochs")
  end
  local self = candidates.new(exp, {
    batch_size = check.batch_size(exp, o.batch_size), target = targets[#targets],
    seeds = check.seeds(exp, o.seeds),
    slack = check.number(o.slack or exp.config["sweep.race_cutoff"], 1, "slack"), max_steps = o.max_steps,
    max_epochs = o.max_epochs or (#targets > 0 and exp.config["sweep.max_epochs"]) or nil,
    settings = o.settings, title = o.title, lowest = o.lowest,
  })
  local n = check.whole(o.trials or exp.config["sweep.trials"], 1, "trials")
  local widen, finalists = check.whole(o.widen or 2, 0, "widen"), check.whole(o.finalists or 3, 1, "finalists")
  self.axes, self.widened, self.feasible, self.diverged, self.short = read_box(exp, o.box), 0, 0, 0, false
  local names, moved
  repeat
    draw_points(self, n)
    run_finalists(self, finalists)
    names, moved = find_edges(self, self.widened < widen)
    if moved and not self:out_of_memory() then
      self.widened = self.widened + 1
      exp:note(string.format("batch %d: the best point lies at the edge of %s: the box is widened",
        self.batch_size, table.concat(names, " and ")))
    else
      moved = false
    end
  until not moved
  local answers = { [math.max(1, #targets)] = answer(self, names) }
  for i = #targets - 1, 1, -1 do
    self.easier_target = true
    self:set_target(targets[i])
    run_finalists(self, finalists)
    answers[i] = answer(self, (find_edges(self, false)))
  end
  return answers
end

-- search(exp, { batch_size = 512, target = 0.2, trials = 16, box = { search.log(...), ... } }): the
-- best settings of one batch size. Without a target, the lowest value at the end of max_steps or
-- max_epochs; with `lowest`, the lowest on a run's way.
function search.search(exp, given)
  local answers = search.search_all(exp, given)
  return answers[#answers]
end

return search
