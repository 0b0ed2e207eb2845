-- Retuning the learning rate (docs/sweeps.md). Candidates on a grid run toward one target; whoever is
-- behind by more than `slack` stops. The grid grows until the best is interior, then the best and its
-- two neighbours run with every seed, until nobody near can be the best; cover.lua does the same for the
-- rest of the grid. Without a target the grid is searched for the lowest value at the end of a budget.
local check = require "check"
local cover = require "cover"
local field = require "field"
local grid = require "grid"
local race = {}

local function candidate(self, k, reason, bound)
  return { key = k, set = { learning_rate = self.grid:rate(k) }, seed = 1, bound = bound, reason = reason }
end

-- Grid points beside the leader that have not run, `guard` of them on both sides.
local function missing_neighbours(self)
  local best, wanted, bound = self:leader(), {}, self:bound()
  for _, direction in ipairs { -1, 1 } do
    for distance = 1, self.guard do
      local k = best.key + direction * distance
      if k >= self.grid.low and k <= self.grid.high and not self.points[k] then
        wanted[#wanted + 1] = candidate(self, k, string.format("extends the grid %s: %.3g leads%s",
          direction < 0 and "down" or "up", best.set.learning_rate, self:aim()), bound)
      end
    end
  end
  return wanted
end

-- Out of reach of the target, only the leader is repeated: its neighbours would say no more. Under a
-- budget a neighbour is repeated while it is not worse than the leader's worst seed.
local function contends(self, best, point)
  if self.target then return best.steps < math.huge end
  local worst = 0
  for _, result in pairs(best.results) do
    local last = result.evals[#result.evals]
    worst = math.max(worst, last and last.value or math.huge)
  end
  return point.value <= worst
end

local function missing_seeds(self)
  local best, wanted = self:leader(), {}
  for k = best.key - 1, best.key + 1 do
    local point = self.points[k]
    local leads = point == best
    if leads or (point and contends(self, best, point)) then
      self:want_seeds(wanted, point, leads, string.format(leads and "%.3g leads" or "beside the best: %.3g",
        point.set.learning_rate))
    end
  end
  return wanted
end

-- Runs until the leader has neighbours and seeds.
local function settle(self)
  while not self:no_memory() do
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

-- The best rate for the present question, as an answer.
local function decide(self)
  local proved = self.cover == "all" and cover.whole_grid(self, settle)
  if self.cover == "near" then settle(self) end
  local best, out = self:leader(), self:answer()
  out.index, out.grid, out.whole_grid = best.key, self.grid, proved
  out.bracketed = self.points[best.key - 1] ~= nil and self.points[best.key + 1] ~= nil
  return out
end

-- Three rates around each centre, all in one race.
local function begin(self, centers, because)
  local g, wanted, asked = self.grid, {}, {}
  for _, rate in ipairs(centers) do
    local center = g:nearest(g:position(rate))
    for k = math.max(g.low, center - 1), math.min(g.high, center + 1) do
      if not asked[k] then
        wanted[#wanted + 1] = candidate(self, k, string.format("around %.3g: %s", g:rate(center), because))
      end
      asked[k] = true
    end
  end
  self:run(wanted, self.target ~= nil)
end

-- A race that nobody won went by the values at the end of the budget, which may lead away from the
-- fast rates. What an easier target found is tried for the hard one, too.
local function second_chance(self, target, easier)
  local found, wanted = self:leader().key, {}
  self.aside = false
  self:ask(target)
  for k = math.max(self.grid.low, found - 1), math.min(self.grid.high, found + 1) do
    local result = self.points[k] and self.points[k].results[1]
    if result == nil or self:open(result) then
      wanted[#wanted + 1] = candidate(self, k, string.format("near %.3g, the best for the target %.4g",
        self.grid:rate(found), easier))
    end
  end
  if #wanted > 0 then self:run(wanted, true) end
  return decide(self)
end

local options = { "batch_size", "target", "targets", "lr", "center", "anchor", "seeds", "slack",
  "max_steps", "max_epochs", "settings", "guard", "cover", "because", "title" }

-- As retune, for several targets at once: a list of answers in the order of `targets`, easiest
-- first. The hardest is raced for; the same runs serve the others, which ask only for what is missing
-- around a best rate of their own.
function race.retune_all(exp, given)
  local o = check.options(given, options, "retune")
  local targets = check.targets(exp, o.targets or { o.target })
  local max_epochs = o.max_epochs
  if #targets > 0 then
    max_epochs = max_epochs or exp.config["sweep.max_epochs"]
  elseif not o.max_steps and not max_epochs then
    error("retune needs a target, or a budget: max_steps or max_epochs")
  end
  local self = field.new(exp, {
    batch_size = check.batch_size(exp, o.batch_size), target = targets[#targets],
    seeds = check.seeds(exp, o.seeds),
    slack = check.number(o.slack or exp.config["sweep.slack"], 1, "slack"),
    max_steps = o.max_steps, max_epochs = max_epochs, settings = o.settings, title = o.title,
  })
  -- Steps to target have more than one valley where runs are short and seeds differ: one worse
  -- neighbour is no proof, and in a race a second costs little. Under a budget it costs a whole run.
  self.guard = check.whole(o.guard or (#targets > 0 and 2 or 1), 1, "guard")
  self.grid = grid.resolve(exp, o.lr, o.anchor)
  local centers = type(o.center) == "table" and o.center or { o.center or self.grid.start }
  for _, rate in ipairs(centers) do check.number(rate, 0, "center", true) end
  -- Under a budget nobody is beaten before the end: the whole grid would cost what it costs.
  self.cover = o.cover or (#targets > 0 and exp.config["sweep.cover"] or "near")
  if self.cover ~= "near" and self.cover ~= "all" then error("cover is near or all") end
  begin(self, centers, o.because or (o.center and "the given centre" or "the grid's start"))
  local answers = { [math.max(1, #targets)] = decide(self) }
  for i = #targets - 1, 1, -1 do
    self.aside = true
    self:ask(targets[i])
    answers[i] = decide(self)
    if answers[#targets].censored and not answers[i].censored then
      answers[#targets] = second_chance(self, targets[#targets], targets[i])
    end
  end
  local rates = {}
  for i = #answers, 1, -1 do rates[#rates + 1] = answers[i].learning_rate end
  answers[#answers].rates = rates
  return answers
end

-- retune(exp, { batch_size = 512, target = 0.2, ... }): the best learning rate of one batch size.
--   target    what is raced for; without one the lowest value at the end of max_steps or max_epochs
--   lr        log2grid{...}; center: a rate to begin around, or several (default: the grid's start)
--   guard     how many worse rates the best has to have on both sides
--   cover     "all": no rate of the grid may be better; "near": none around the best
--   seeds     a number or a list; slack; max_steps, max_epochs: the budget of one run
--   settings  further settings of every run, by name
function race.retune(exp, given)
  local answers = race.retune_all(exp, given)
  return answers[#answers]
end

return race
