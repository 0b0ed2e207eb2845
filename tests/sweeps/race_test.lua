-- What the race finds and what it asks for: candidates, targets, the whole grid.
local grid = require "grid"
local sweep = require "sweep"
local t = require "testing"

local log2 = t.log2

-- The sweep that most cases run: the best of each size, then two budgets.
local function critical(exp)
  local points = sweep.critical_batch(exp, {})
  sweep.budgets(exp, { from = points, epochs = 2, steps = 500 })
end

-- From a centre far off on either side, and against a wall of divergence.
local function extends(direction, diverges)
  return function(exp)
    critical(exp)
    assert(exp:decision { kind = "best", target = 0.2, batch_size = 64, learning_rate = 2 ^ -9 }.bracketed)
    exp:says("extends the grid " .. direction)
    assert(not diverges or exp:trial { outcome = "diverged" })
  end
end

return t.cases {
  { "the first evaluation at the target counts", function(exp)
    local p = t.scripted(exp, function()
      return { { step = 3, value = 0.5 }, { step = 5, value = 0.2 }, { step = 8, value = 0.1 } }
    end)
    local best = sweep.retune(p, { batch_size = 64, target = 0.2, seeds = 1 })
    assert(best.steps == 5 and best.points[1].steps == 5 and best.points[1].before == 3)
  end },

  -- A run that diverged would not have arrived within its budget either: the budget is its bound.
  { "a diverged leader counts its budget", function(exp)
    local p = t.scripted(exp, function() return { { step = 1 } }, "diverged" end)
    local best = sweep.retune(p, { batch_size = 64, target = 0.2, seeds = 1 })
    assert(best.censored and best.points[1].censored and best.points[1].steps == 99)
  end },

  -- Values at the end of the budget lead to 2^-12, where nobody arrives; the easy target's best is at 2^-4.
  -- There the hard target is reached, too, by runs that stopped at the easy one. A run that is asked for
  -- less later does not forget what it knew.
  { "a missed target is tried near an easier one's best", function(exp)
    local function answer(trial)
      local k = log2(trial.learning_rate)
      if k <= -9 then
        return { { step = math.floor(40 - 2 * k), value = 0.45 },
          { step = 99, value = 0.3 + 0.01 * math.abs(k + 12) } }, "budget"
      end
      local evals = { { step = 10 + 2 * math.floor(math.abs(k + 4)), value = 0.4 } }
      if trial.target < 0.4 then evals[2] = { step = 30, value = k == -4 and 0.2 or 0.35 } end
      return evals, #evals == 1 and "target" or k == -4 and "target" or "budget"
    end
    local function best(targets)
      return sweep.critical_batch(t.scripted(exp, answer), { batch = { 64 }, targets = targets, seeds = 1,
        retune = { lr_search = "local", lr = { start = 2 ^ -12 } } })[1]
    end
    local alone, both = best({ 0.2 }), best({ 0.45, 0.2 })
    assert(alone.censored and alone.learning_rate == 2 ^ -12)
    assert(not both.censored and both.learning_rate == 2 ^ -4 and both.steps == 30)
    assert(#both.rates == 2 and both.rates[1] == 2 ^ -4)
  end },

  { "extends to the upper side", "sweep.lr_start=1e-5 sweep.batch_sizes=[64]", extends("up") },
  { "extends to the lower side", "sweep.lr_start=1 sweep.batch_sizes=[64]", extends("down", true) },
  { "extends down from a wall of divergence", "sweep.lr_start=1 sweep.batch_sizes=[64] diverge_above=0.6",
    extends("down", true) },

  { "limits are flagged", "sweep.lr_max=0.001 sweep.batch_sizes=[64]", function(exp)
    critical(exp)
    assert(exp:decision { kind = "best", target = 0.2, bracketed = false }.censored == false)
    exp:says("not bracketed: at a limit of the grid")
  end },

  { "a size that misses the target is censored", "sweep.max_steps=300", function(exp)
    critical(exp)
    exp:says("batch 32: target 0.2 not reached within 287 steps; lr 0.000977 came closest")
    assert(exp:decision { kind = "best", batch_size = 32, target = 0.2 }.censored)
    assert(not exp:decision { kind = "best", batch_size = 1024, target = 0.2 }.censored)
  end },

  -- The first round of each of the two sizes, and no proof over the whole grid.
  { "memory ends a size", "memory_above=256", function(exp)
    critical(exp)
    exp:says("batch 512 does not fit in memory")
    exp:says("batch 1024 does not fit in memory")
    assert(exp:count("trials", { outcome = "memory" }) == 6)
    assert(exp:count("decisions", { batch_size = 512 }) == 0)
    exp:says("500 steps: batch 256 is best")
  end },

  -- By hand: at batch 64 the grid's best is the optimum itself, S = 100 (1 + 300 / 64) = 568.75, first
  -- evaluated at 569; the race began one below. Its neighbours take 750.5 steps, those beyond 1724, but
  -- all stop by 1.25 x 569. What is left of the grid, from 2^-13 to 2^-5, has lost at 569.
  { "one race by hand", "sweep.batch_sizes=[64,256] sweep.seeds=1 eval.growth=1 sweep.lr_min=0.0001220703125 " ..
      "sweep.lr_max=0.03125 sweep.lr_search=exhaustive", function(exp)
    sweep.critical_batch(exp)
    local start, up = "around 0.000977: the grid's start", "extends the grid up: 0.00195 leads"
    local left = "may still be the best of the grid: 0.00195 leads, seed 1"
    local expected = {
      { 1, -11, 625000, "race", 712, start }, { 1, -10, 625000, "race", 712, start },
      { 1, -9, 625000, "target", 569, start }, { 2, -8, 712, "budget", 712, up }, { 2, -7, 712, "budget", 712, up },
      { 3, -13, 569, "budget", 569, left }, { 3, -12, 569, "budget", 569, left }, { 3, -6, 569, "budget", 569, left },
      { 3, -5, 569, "diverged", 1, left },
    }
    for i, e in ipairs(expected) do
      local a = exp.trials[i]
      local got = { a.round, log2(a.learning_rate), a.max_steps, a.outcome, a.steps, a.reason }
      for k = 1, 6 do assert(got[k] == e[k], string.format("trial %d: %s, not %s", i, got[k], e[k])) end
    end
    assert(exp.trials[10].batch_size == 256)
    local racing = {}
    for i = 1, 3 do racing[i] = exp.rounds[i].title .. " " .. tostring(exp.rounds[i].race) end
    assert(table.concat(racing, ", ") == "batch 64 true, batch 64 true, batch 64 false")
    local best = exp:decision { kind = "best", batch_size = 64, target = 0.2 }
    assert(best.whole_grid and best.steps == 569 and best.text == "batch 64: best lr 0.00195 (bracketed), 569 steps")
    exp:says("batch 256: best lr 0.00391 (bracketed), 218 steps; perfect scaling predicts 142")
  end },

  -- The winner is never judged by runs that a race cut.
  { "the winner's runs are whole", "noise=0.4 sweep.seeds=5 sweep.race_cutoff=1.05", function(exp)
    for _, p in ipairs(sweep.critical_batch(exp)) do
      assert(#p.runs == 5)
      for _, r in ipairs(p.results) do assert(r.target_step and r.outcome == "target" and not r.cut) end
    end
  end },

  -- Behind a worse rate lies a better one: two worse neighbours are asked for, not one.
  { "a second valley is seen", "sweep.lr_search=exhaustive", function(exp)
    local steps = { [-7] = 40, [-6] = 18, [-5] = 20, [-4] = 12, [-3] = 30 }
    local p = t.scripted(exp, function(trial)
      return { { step = steps[math.tointeger(log2(trial.learning_rate))] or 50, value = 0.1 } }
    end)
    local function best(guard, range)
      return sweep.retune(p, { batch_size = 64, target = 0.2, seeds = 1, center = 2 ^ -6, guard = guard,
        lr_search = range }).learning_rate
    end
    assert(best(nil, "local") == 2 ^ -4 and best(2, "local") == 2 ^ -4 and best(1, "local") == 2 ^ -6)
    assert(best() == 2 ^ -4 and best(1, "exhaustive") == 2 ^ -4)
  end },

  -- Under a budget, a neighbour that is not worse than the leader's worst seed runs with every seed; others do
  -- not.
  { "contenders get seeds under a budget", function(exp)
    local value = { [-9] = { 0.20, 0.30 }, [-8] = { 0.25, 0.10 }, [-10] = { 0.4, 0.0 } }
    local p, log = t.scripted(exp, function(trial)
      local v = value[math.tointeger(log2(trial.learning_rate))] or { 0.9, 0.9 }
      return { { step = 9, value = v[trial.seed] } }, "budget"
    end)
    local best = sweep.retune(p, { batch_size = 64, max_steps = 9, seeds = 2, center = 2 ^ -9 })
    assert(best.learning_rate == 2 ^ -8)
    local second = {}
    for _, trial in ipairs(log) do
      if trial.seed == 2 then second[#second + 1] = math.tointeger(log2(trial.learning_rate)) end
    end
    assert(#second == 2 and second[1] + second[2] == -17)
  end },

  { "the grid is exact", function(exp)
    local g = grid.resolve(exp, { step = 0.5 })
    assert(g:rate(-20) == 2 ^ -10 and g:rate(-19) == 2 ^ -10 * math.sqrt(2))
    assert(g.low == -40 and g.high == 8)
    assert(g:nearest(-7.5) == -8 and g:nearest(-7.5 + 1e-9) == -8 and g:nearest(-7.4) == -7)
    assert(grid.resolve(exp, { step = 0.25 }):rate(1) == math.sqrt(math.sqrt(2)))
    assert(grid.shift(g, "linear", 4) == 4 and grid.shift(g, "keep", 4) == 0)
    assert(#grid.pow2(32, 16384) == 10 and grid.pow2(33, 64)[1] == 64)
  end },
}
