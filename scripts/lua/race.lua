-- Retuning the learning rate of one batch size by a race (docs/sweeps.md, Retuning by a race).
--
-- 1. Rates around a centre run toward the target with the first seed; a rate that falls behind by more
--    than `slack` stops.
-- 2. The grid grows until the leader has `guard` worse rates on both sides.
-- 3. The leader and its two neighbours run with every seed. Whoever leads then gets the same, until the
--    leader stays.
-- 4. exhaustive.lua does the same for the rest of the grid (lr_search = "exhaustive").
--
-- Without a target the grid is searched for the lowest value at the end of a budget, near the leader only.
--
-- Example: leader 2^-9 with guard 2 needs 2^-11, 2^-10, 2^-8 and 2^-7 to have run; had 2^-8 been better, it
-- would lead, and 2^-6 would be needed next.
local candidates = require "candidates"
local check = require "check"
local exhaustive = require "exhaustive"
local grid = require "grid"
local race = {}

local function first_seed(self, k, reason, bound)
  return { key = k, set = { learning_rate = self.grid:rate(k) }, seed = 1, bound = bound, reason = reason }
end

-- Grid points beside the leader that have not run, `guard` of them on both sides.
local function missing_neighbours(self)
  local leader, wanted, bound = self:leader(), {}, self:step_bound()
  for _, direction in ipairs { -1, 1 } do
    for distance = 1, self.guard do
      local k = leader.key + direction * distance
      if k >= self.grid.low and k <= self.grid.high and not self.by_key[k] then
        wanted[#wanted + 1] = first_seed(self, k, string.format("extends the grid %s: %.3g leads%s",
          direction < 0 and "down" or "up", leader.set.learning_rate, self:target_note()), bound)
      end
    end
  end
  return wanted
end

-- Whether a neighbour gets further seeds. Where nobody reached the target only the leader does: the
-- neighbours would say no more. Under a budget a neighbour does while it is not worse than the leader's
-- worst seed.
local function is_contender(self, leader, candidate)
  if self.target then return leader.steps < math.huge end
  local worst = 0
  for _, result in pairs(leader.results) do worst = math.max(worst, self:value_of(result)) end
  return candidate.value <= worst
end

local function missing_seeds(self)
  local leader, wanted = self:leader(), {}
  for k = leader.key - 1, leader.key + 1 do
    local candidate = self.by_key[k]
    local leads = candidate == leader
    if leads or (candidate and is_contender(self, leader, candidate)) then
      self:add_missing_seeds(wanted, candidate, leads, string.format(leads and "%.3g leads" or "beside the best: %.3g",
        candidate.set.learning_rate))
    end
  end
  return wanted
end

-- Runs until the leader has its neighbours and seeds.
local function complete_leader(self)
  while not self:out_of_memory() do
    local wanted = missing_neighbours(self)
    if #wanted > 0 then
      self:run(wanted, self.target ~= nil)
    else
      wanted = missing_seeds(self)
      if #wanted == 0 then break end
      self:run(wanted, false)
    end
  end
end

-- How steps change around the best rate: a parabola through the mean log steps of it and its two neighbours,
-- y = slope x + bend x^2 / 2, x in grid points. Cut runs count with the steps that they need at least. Nil where
-- one of the three lacks a seed.
local function valley(self, best)
  local y = {}
  for side = -1, 1 do
    local candidate = self.by_key[best.key + side]
    local mean = candidate and self:mean_log_steps(candidate)
    if not mean then return nil end
    y[side] = mean
  end
  return { slope = (y[1] - y[-1]) / 2, bend = y[1] - 2 * y[0] + y[-1] }
end

-- The best rate for the present target, as an answer.
local function find_best(self)
  local proved = self.lr_search == "exhaustive" and exhaustive.prove(self, complete_leader)
  if self.lr_search == "local" then complete_leader(self) end
  local best, out = self:leader(), self:answer()
  out.index, out.grid, out.whole_grid = best.key, self.grid, proved
  out.valley = self.target and valley(self, best)
  out.bracketed = self.by_key[best.key - 1] ~= nil and self.by_key[best.key + 1] ~= nil
  return out
end

-- Three rates around each centre, all in one race.
local function start_around(self, centers, because)
  local g, wanted, asked = self.grid, {}, {}
  for _, rate in ipairs(centers) do
    local center = g:nearest(g:position(rate))
    for k = math.max(g.low, center - 1), math.min(g.high, center + 1) do
      if not asked[k] then
        wanted[#wanted + 1] = first_seed(self, k, string.format("around %.3g: %s", g:rate(center), because))
      end
      asked[k] = true
    end
  end
  self:run(wanted, self.target ~= nil)
end

-- For a hard target that nobody reached while an easier one was reached: tries the rates around the easier
-- one's best. A race that nobody wins goes by the values at the end of the budget, and these may lead
-- away from the fast rates.
local function retry_near_easier_best(self, target, easier)
  local found, wanted = self:leader().key, {}
  self.easier_target = false
  self:set_target(target)
  for k = math.max(self.grid.low, found - 1), math.min(self.grid.high, found + 1) do
    local result = self.by_key[k] and self.by_key[k].results[1]
    if result == nil or self:is_unfinished(result) then
      wanted[#wanted + 1] = first_seed(self, k, string.format("near %.3g, the best for the target %.4g",
        self.grid:rate(found), easier))
    end
  end
  if #wanted > 0 then self:run(wanted, true) end
  return find_best(self)
end

-- How far a race looks: the option, or the configuration. Under a budget no run can be cut short, so the
-- whole grid would cost what it costs; there the default is "local".
local function search_range(exp, o, has_target)
  local range = o.lr_search or has_target and check.lr_search(exp) or "local"
  if range ~= "local" and range ~= "exhaustive" then error("lr_search is local or exhaustive") end
  return range
end

local options = { "batch_size", "target", "targets", "lr", "center", "anchor", "seeds", "slack",
  "max_steps", "max_epochs", "settings", "guard", "lr_search", "because", "title", "lowest" }

-- The candidates of a race, from checked options; nothing has run.
local function new_race(exp, o, targets)
  local max_epochs = o.max_epochs
  if #targets > 0 then
    max_epochs = max_epochs or exp.config["sweep.max_epochs"]
  elseif not o.max_steps and not max_epochs then
    error("retune needs a target, or a budget: max_steps or max_epochs")
  end
  local self = candidates.new(exp, {
    batch_size = check.batch_size(exp, o.batch_size), target = targets[#targets],
    seeds = check.seeds(exp, o.seeds),
    slack = check.number(o.slack or exp.config["sweep.race_cutoff"], 1, "slack"),
    max_steps = o.max_steps, max_epochs = max_epochs, settings = o.settings, title = o.title,
    lowest = o.lowest,
  })
  -- Steps to target have more than one valley where runs are short and seeds differ: one worse
  -- neighbour is no proof, and in a race a second costs little. Under a budget it costs a whole run.
  self.guard = check.whole(o.guard or (#targets > 0 and 2 or 1), 1, "guard")
  self.grid = grid.resolve(exp, o.lr, o.anchor)
  return self
end

-- As retune, for several targets at once: a list of answers in the order of `targets`, easiest first. The
-- race goes for the hardest. Its runs serve the others too, which ask only for what is missing around a
-- best rate of their own.
function race.retune_all(exp, given)
  local o = check.options(given, options, "retune")
  local targets = check.targets(exp, o.targets or { o.target })
  local self = new_race(exp, o, targets)
  local centers = type(o.center) == "table" and o.center or { o.center or self.grid.start }
  for _, rate in ipairs(centers) do check.number(rate, 0, "center", true) end
  self.lr_search = search_range(exp, o, #targets > 0)
  start_around(self, centers, o.because or (o.center and "the given centre" or "the grid's start"))
  local answers = { [math.max(1, #targets)] = find_best(self) }
  for i = #targets - 1, 1, -1 do
    self.easier_target = true
    self:set_target(targets[i])
    answers[i] = find_best(self)
    if answers[#targets].censored and not answers[i].censored then
      answers[#targets] = retry_near_easier_best(self, targets[#targets], targets[i])
    end
  end
  local rates = {}
  for i = #answers, 1, -1 do rates[#rates + 1] = answers[i].learning_rate end
  answers[#answers].rates = rates
  return answers
end

-- retune(exp, { batch_size = 512, target = 0.2, ... }): the best learning rate of one batch size.
--   target     what is raced for; without one the lowest value at the end of max_steps or max_epochs
--   lr         log2grid{...}; center: a rate to begin around, or several (default: the grid's start)
--   guard      how many worse rates the best has to have on both sides
--   lr_search  "exhaustive": no rate of the grid may be better; "local": none around the best
--   seeds      a number or a list; slack; max_steps, max_epochs: the budget of one run
--   settings   further settings of every run, by name
--   lowest     without a target: the lowest value on a run's way counts, not that at its end
function race.retune(exp, given)
  local answers = race.retune_all(exp, given)
  return answers[#answers]
end

return race
