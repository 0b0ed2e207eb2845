-- Retuning by a race (docs/sweeps.md). Candidates on a grid of learning rates run toward one target;
-- whoever is behind by more than `slack` stops. The grid grows until the best is interior, then the
-- best and its two neighbours run with every seed, until nobody else can be the best.
local check = require "check"
local grid = require "grid"
local race = {}

local Field = {}
Field.__index = Field

local function final_value(result)
  local last = result.evals[#result.evals]
  if last == nil or last.value == nil then return math.huge end
  return last.value
end

-- Median steps over the seeds that ran, then the median of the last values.
local function rate_point(point)
  local steps, values = {}, {}
  for _, result in pairs(point.results) do
    steps[#steps + 1] = result.hit or math.huge
    values[#values + 1] = final_value(result)
  end
  point.steps, point.value = check.median(steps), check.median(values)
end

-- Fewest steps; among equals the lower value, then the lower rate.
function Field:leader()
  local best
  for _, point in pairs(self.points) do
    if best == nil or point.steps < best.steps
      or (point.steps == best.steps and point.value < best.value) then
      best = point
    end
  end
  return best
end

-- Wanted: a list of {k, seed index, bound or false, reason}; runs those in one round.
function Field:run(wanted, racing)
  local trials = { title = "batch " .. self.batch_size, race = racing, slack = self.slack }
  for i, w in ipairs(wanted) do
    local trial = {}
    for name, value in pairs(self.settings) do trial[name] = value end
    trial.batch_size = self.batch_size
    trial.learning_rate = self.grid:rate(w.k)
    trial.seed = self.seeds[w.seed]
    trial.target = self.target
    trial.max_epochs = self.max_epochs
    trial.max_steps = w.bound or self.max_steps
    trial.reason = w.reason
    trials[i] = trial
  end
  for i, result in ipairs(self.exp:run(trials)) do
    local w = wanted[i]
    local point = self.points[w.k] or { k = w.k, results = {} }
    self.points[w.k] = point
    -- A cut run says "more than this", which is enough for a loser only.
    result.cut = result.outcome == "race" or (w.bound and result.outcome == "budget") or false
    point.results[w.seed] = result
    rate_point(point)
  end
end

-- Steps after which a run can no longer be of interest; nil while nobody has reached the target.
function Field:bound()
  local best = self:leader()
  if best == nil or best.steps == math.huge then return nil end
  local bound = self.exp:grid_ceil(math.ceil(best.steps * self.slack))
  return self.max_steps and math.min(self.max_steps, bound) or bound
end

-- Grid points beside the leader that have not run. Beyond the first extension two at a time.
function Field:missing_neighbours(ahead)
  local best, wanted, bound = self:leader(), {}, self:bound()
  for _, direction in ipairs { -1, 1 } do
    local k = best.k + direction
    for _ = 1, self.points[k] and 0 or ahead do
      if k >= self.grid.low and k <= self.grid.high and not self.points[k] then
        local reason = "extends the grid " .. (direction < 0 and "down" or "up")
        wanted[#wanted + 1] = { k = k, seed = 1, bound = bound, reason = reason }
      end
      k = k + direction
    end
  end
  return wanted
end

-- Out of reach of the target, only the leader is repeated: its neighbours would say no more.
function Field:missing_seeds()
  local best, wanted, bound = self:leader(), {}, self:bound()
  local beside = best.steps < math.huge and 1 or 0
  for k = best.k - beside, best.k + beside do
    for seed = 1, self.points[k] and #self.seeds or 0 do
      local result = self.points[k].results[seed]
      local leads = k == best.k
      if result == nil or (leads and result.cut) then
        local reason = (leads and "the best, seed " or "beside the best, seed ") .. self.seeds[seed]
        wanted[#wanted + 1] = { k = k, seed = seed, bound = not leads and bound, reason = reason }
      end
    end
  end
  return wanted
end

function Field:no_memory()
  for _, point in pairs(self.points) do
    for _, result in pairs(point.results) do
      if result.outcome == "memory" then return true end
    end
  end
  return false
end

function Field:answer()
  local best = self:leader()
  local runs = {}
  for i, result in ipairs(best.results) do runs[i] = result.run end
  local censored = best.steps == math.huge
  local steps = best.steps
  if censored then
    steps = 0
    for _, result in ipairs(best.results) do steps = math.max(steps, result.steps) end
  end
  return {
    batch_size = self.batch_size,
    learning_rate = self.grid:rate(best.k),
    index = best.k,
    grid = self.grid,
    target = self.target,
    steps = math.floor(steps + 0.5),
    value = best.value,
    censored = censored,
    bracketed = self.points[best.k - 1] ~= nil and self.points[best.k + 1] ~= nil,
    feasible = not self:no_memory(),
    seeds = self.seeds,
    settings = self.settings,
    results = best.results,
    runs = runs,
  }
end

-- retune(exp, { batch_size = 512, target = 0.2, ... }): the best learning rate of one batch size.
--   lr        log2grid{...}; center: a rate to begin around (default: the grid's start)
--   seeds     a number or a list; slack; max_steps, max_epochs: the budget of one run
--   settings  further settings of every run, by name
function race.retune(exp, options)
  local o = check.options(options, { "batch_size", "target", "lr", "center", "seeds", "slack",
    "max_steps", "max_epochs", "settings" }, "retune")
  local field = setmetatable({ exp = exp, points = {} }, Field)
  field.batch_size = check.whole(o.batch_size, 1, "batch_size")
  field.target = check.number(o.target, -math.huge, "target", true)
  field.grid = grid.resolve(exp, o.lr)
  field.seeds = check.seeds(exp, o.seeds)
  field.slack = check.number(o.slack or exp.config["sweep.slack"], 1, "slack")
  field.max_steps = o.max_steps
  field.max_epochs = o.max_epochs or exp.config["sweep.max_epochs"]
  field.settings = o.settings or {}
  local g = field.grid
  local center = g:nearest(g:position(check.number(o.center or g.start, 0, "center", true)))
  local wanted = {}
  for k = math.max(g.low, center - 1), math.min(g.high, center + 1) do
    wanted[#wanted + 1] = { k = k, seed = 1, reason = "around " .. string.format("%.3g", g:rate(center)) }
  end
  field:run(wanted, true)
  local extensions = 0
  while not field:no_memory() do
    wanted = field:missing_neighbours(extensions == 0 and 1 or 2)
    if #wanted > 0 then
      extensions = extensions + 1
      field:run(wanted, true)
    else
      wanted = field:missing_seeds()
      if #wanted == 0 then break end
      field:run(wanted, false)
    end
  end
  return field:answer()
end

return race
