-- Random tables of steps and values with no order in them, few enough for ties, with runs that diverge
-- and runs that never arrive: whatever the race runs, in whatever rounds, its winner has to be that of
-- the complete table, for two targets and under a budget; and the proof costs no more than it has to.
local sweep = require "sweep"

local RATES, BUDGET = 9, 24

local function draw(n) return math.random(0, n - 1) end

local function new_table(seeds, hopeless)
  local t = {}
  for k = -RATES, -1 do
    t[k] = {}
    for seed = 1, seeds do
      local easy = 1 + draw(8)
      t[k][seed] = { diverges = draw(8) == 0, easy = easy,
        hard = (hopeless or draw(4) == 0) and math.huge or easy + draw(6),
        value = 0.05 * (1 + draw(3)), last = 0.25 + 0.05 * draw(3) }
    end
  end
  return t
end

-- Evaluations of `most` steps toward `target` (nil: to the end), and how they ended.
local function run_of(r, target, most)
  if r.diverges then return { { step = 1 } }, "diverged" end
  local evals = {}
  for step = 1, math.min(most, BUDGET) do
    local value = step >= r.hard and r.value or step >= r.easy and r.last or 0.9
    evals[step] = { step = step, value = value }
    if target and value <= target then return evals, "target" end
  end
  return evals, "budget"
end

-- An experiment whose runs are the table's. Its `spent` are the steps of every run, as far as it went.
local function machine(exp, t)
  local went, own = {}, { spent = 0 }
  local function run(_, round)
    local results, first = {}, math.huge
    for i, trial in ipairs(round) do
      local r = t[math.tointeger(math.log(trial.learning_rate, 2))][trial.seed]
      local evals, outcome = run_of(r, trial.target, trial.max_steps or BUDGET)
      results[i] = { run = "", evals = evals, outcome = outcome, max_steps = trial.max_steps or BUDGET }
      if outcome == "target" then first = math.min(first, #evals) end
    end
    local cut = round.race and math.ceil(round.slack * first) or math.huge
    for _, result in ipairs(results) do
      if #result.evals > cut then
        result.evals, result.outcome = table.move(result.evals, 1, cut, 1, {}), "race"
      end
      result.steps = #result.evals
    end
    for i, trial in ipairs(round) do
      local name = trial.learning_rate .. " " .. trial.seed
      local before = went[name] or 0
      went[name] = math.max(before, results[i].steps)
      own.spent = own.spent + went[name] - before
    end
    return results
  end
  own.run, own.note, own.decide = run, function() end, function() end
  own.grid_ceil = function(_, n) return n end
  return setmetatable(own, { __index = function(_, name) return exp[name] end })
end

local function middle(list)
  table.sort(list)
  local low, high = list[(#list + 1) // 2], list[#list // 2 + 1]
  if low == high or high == math.huge then return high end
  return math.sqrt(low) * math.sqrt(high)
end

local function mean(list)
  local sum = 0
  for _, n in ipairs(list) do sum = sum + n end
  return sum / #list
end

local function fewer(a, b)
  if a.steps ~= b.steps then return a.steps < b.steps end
  if a.mean ~= b.mean then return a.mean < b.mean end
  return a.value < b.value
end

local function steps_of(t, seeds, target)
  local steps = 0
  for k = -RATES, -1 do
    for seed = 1, seeds do steps = steps + #run_of(t[k][seed], target, BUDGET) end
  end
  return steps
end

local function winner(t, seeds, target)
  local best
  for k = -RATES, -1 do
    local steps, values = {}, {}
    for seed = 1, seeds do
      local evals, outcome = run_of(t[k][seed], target, BUDGET)
      steps[seed] = outcome == "target" and #evals or math.huge
      values[seed] = evals[#evals].value or math.huge
    end
    local p = { k = k, steps = middle(steps), mean = mean(steps), value = middle(values) }
    if not best or fewer(p, best) then best = p end
  end
  return best
end

return function(exp)
  local cases, misses, censored, spent, grid = 0, 0, 0, 0, 0
  local function holds(best, t, seeds, target)
    local w = winner(t, seeds, target)
    assert(best.whole_grid)
    assert(best.index == w.k and best.value == w.value and best.censored == (w.steps == math.huge),
      string.format("%d seeds, target %s: 2^%d, not 2^%d", seeds, target, best.index, w.k))
    assert(best.censored or best.steps == math.floor(w.steps + 0.5))
    cases = cases + 1
    if best.censored and target then censored = censored + 1 end
  end
  for case = 1, 25 do
    local seeds, list = 1 + case % 5, {}
    for seed = 1, seeds do list[seed] = seed end
    local t = new_table(seeds, case % 7 == 0)
    local lr = { min = 2^-RATES, max = 2^-1, start = 2^-5 }
    local function retune(more)
      local own = machine(exp, t)
      more.batch_size, more.seeds, more.lr = 64, list, lr
      return sweep.retune(own, more), own.spent
    end
    local best, steps = retune { target = 0.2 }
    holds(best, t, seeds, 0.2)
    if not best.censored then spent, grid = spent + steps, grid + steps_of(t, seeds, 0.2) end
    holds(retune { max_steps = BUDGET, lr_search = "exhaustive" }, t, seeds, nil)
    local near = retune { target = 0.2, lr_search = "local" }
    if near.index ~= winner(t, seeds, 0.2).k then misses = misses + 1 end
    local _, by = sweep.critical_batch(machine(exp, t), { batch = { 64 }, seeds = list, targets = { 0.4, 0.2 },
      retune = { lr = lr } })
    holds(by[1][1], t, seeds, 0.4)
    holds(by[2][1], t, seeds, 0.2)
  end
  assert(misses > 2 and censored > 2, "tables that show nothing")
  exp:note(string.format("%d winners, %d censored; near its best alone the race misses %d of 25; %d of %d steps",
    cases, censored, misses, spent, grid))
end
