-- Batch sizes one after the other: several targets, refinement, series, the test set, and all together.
local sweep = require "sweep"
local fresh = require "fresh"
local t = require "testing"

local box = { sweep.log("learning_rate", 2 ^ -12, 2 ^ -6), sweep.log("weight_decay", 2 ^ -12, 2 ^ -2) }

return t.cases {
  -- Every run passes the easier targets on its way: nothing is asked for again.
  { "easier targets take the same runs", function(exp)
    local alone = t.watch(exp.real)
    sweep.critical_batch(alone, { target = 0.2 })
    local main, all = sweep.critical_batch(exp, { targets = { 0.4, 0.3, 0.2 } })
    assert(#all == 3 and all[3] == main and #main == 6)
    for i, p in ipairs(all[1]) do
      assert(p.target == 0.4 and p.bracketed and not p.censored)
      assert(p.learning_rate == main[i].learning_rate and p.steps < main[i].steps)
      for _, q in ipairs(p.points) do assert(q.before < q.steps and not q.censored) end
    end
    assert(#alone.trials == #exp.trials)
    local function steps(trials)
      local sum = 0
      for _, trial in ipairs(trials) do sum = sum + trial.steps end
      return sum
    end
    assert(steps(alone.trials) == steps(exp.trials))
    exp:says("batch 64 to 0.4: best lr 0.00195 (bracketed)")
    exp:says("to 0.4: within 20 % of perfect scaling")
  end },

  -- The hard target is out of reach, the easy one is not.
  { "easier targets answer alone", "sweep.max_steps=300", function(exp)
    local main, all = sweep.critical_batch(exp, { targets = { 0.4, 0.2 }, batch = { 64 } })
    assert(main[1].censored and not all[1][1].censored)
    exp:says("(target 0.4)")
    exp:says("no batch size reached the target 0.2; the closest was 0.2")
    exp:says("raise the target or the budget")
  end },

  { "refinement splits the knee", function(exp)
    local points = sweep.critical_batch(exp, { target = 0.2, refine = 2 })
    assert(#points == 8)
    for i = 2, 8 do assert(points[i].batch_size > points[i - 1].batch_size) end
    local added = {}
    for _, p in ipairs(points) do
      if p.refined then added[#added + 1] = p.batch_size end
    end
    assert(#added == 2 and added[1] > 256 and added[2] < 512)
    exp:says("the examples double between batch 256 and 512: batch 362 is added")
    exp:decision { kind = "best", refined = true }
  end },

  -- The seeds that chose a rate favour it: the winner and what cannot be told from it run again.
  { "the fewest steps are confirmed", "noise=0.2 sweep.confirm_seeds=4", function(exp)
    local points = sweep.critical_batch(exp, { target = 0.2 })
    local best = exp:decision { kind = "best", fresh_seeds = 4, batch_size = points[#points].batch_size }
    exp:says("has the fewest steps, fresh seed 4")
    exp:says(" on 4 fresh seeds (")
    local again = 0
    for _, p in ipairs(points) do
      if p.fresh_seeds then
        again = again + 1
        assert(#p.points == 4 and #p.runs == 4 and #p.seeds == 7)
        for i, row in ipairs(p.points) do assert(row.seed == 3 + i) end
        assert(exp:count("decisions", { kind = "best", batch_size = p.batch_size }) == 2)
      else
        assert(exp:count("decisions", { kind = "best", batch_size = p.batch_size }) == 1)
      end
    end
    assert(again >= 1 and again < #points and best.steps > 0)
    assert(exp:count("decisions", { fresh_seeds = 4 }) == again)
    for _, trial in ipairs(exp.trials) do assert((trial.seed > 3) == (trial.reason:find("fresh seed") ~= nil)) end
  end },

  -- No size is judged by seeds that chose its rate, and no two sizes by the same seed; further seeds then follow
  -- these.
  { "every size is confirmed", "noise=0.2 sweep.confirm_seeds=4 sweep.confirm=all sweep.precision=1.5", function(exp)
    local points = sweep.critical_batch(exp, { target = 0.2 })
    exp:says("every size runs again, fresh seed 4")
    local narrowed, taken = 0, {}
    for i, p in ipairs(points) do
      assert(p.fresh_seeds >= 4 and (p.fresh_seeds - 4) % 3 == 0 and #p.points == p.fresh_seeds)
      narrowed = narrowed + (p.fresh_seeds - 4) // 3
      for k, row in ipairs(p.points) do
        assert(row.seed == 3 + i + (k - 1) * #points and not taken[row.seed])
        taken[row.seed] = true
      end
      assert(exp:count("decisions", { kind = "best", batch_size = p.batch_size }) == 2)
    end
    assert(narrowed > 0)
    for _, trial in ipairs(exp.trials) do assert((trial.seed > 3) == (trial.reason:find("fresh seed") ~= nil)) end
  end },

  -- The rate of the fresh seeds lies where the parabolas are least: those of one bend, moved by a slope at each
  -- size. Here log steps are x^2 / 8 in doublings from the best rate, which doubles with the batch size.
  { "fresh seeds run between the rates of the grid", function(exp)
    local g = require("grid").resolve(exp, sweep.log2grid { step = 1 })
    local function answers(valley)
      local list = {}
      for i = 1, 4 do
        local best = -8.25 + i
        local index = math.floor(best + 0.5)
        list[i] = { batch_size = 2 ^ (4 + i), index = index, grid = g, learning_rate = g:rate(index), target = 0.2,
          settings = {}, seeds = { 1, 2, 3 }, censored = false, steps = 100, valley = valley(i, index - best),
          points = { { seed = 1, steps = 100, before = 90, censored = false, run = "r" } } }
      end
      return list
    end
    local function rates(valley, rate)
      local list, found = answers(valley), {}
      fresh.sharpen(exp, list, { confirm = 1, all = true, rate = rate, seeds = 3, max_epochs = 1 })
      for i, a in ipairs(list) do found[i] = t.log2(a.learning_rate) end
      return found
    end
    local function exact(_, x) return { slope = x / 4, bend = 0.25 } end
    for i, rate in ipairs(rates(exact, "between")) do assert(math.abs(rate - (-8.25 + i)) < 1e-9) end
    for i, rate in ipairs(rates(exact, "grid")) do assert(rate == -8 + i) end
    -- One size that is off pulls its own rate by a third of that; at an end it keeps its own place.
    local off = rates(function(i, x) return { slope = x / 4 - (i == 2 and 0.09375 or 0), bend = 0.25 } end, "between")
    assert(off[1] == -7.25 and off[2] == -6.125 and off[3] == -5.125 and off[4] == -4.25)
    -- One bend for all, the mean: 0.1875 moves each by a third of a step, the size on a line like the others.
    local line = rates(function(i, x) return { slope = x / 4, bend = i == 2 and 0 or 0.25 } end, "between")
    assert(line[1] == -7.375 and line[2] == -6.375)
    -- No rate leaves those that ran, and without a valley none moves.
    for i, rate in ipairs(rates(function() return { slope = -9, bend = 0.25 } end, "between")) do assert(rate == -7 + i) end
    for i, rate in ipairs(rates(function() return { slope = 0.1, bend = -0.25 } end, "between")) do assert(rate == -8 + i) end
    for i, rate in ipairs(rates(function() end, "between")) do assert(rate == -8 + i) end
  end },

  -- The race says how steps change around its best rate, and fresh seeds use it.
  { "a race measures its valley", "noise=0.1 sweep.confirm_seeds=2 sweep.confirm=all sweep.confirm_rate=between",
    function(exp)
      local points, moved = sweep.critical_batch(exp, { target = 0.2 }), 0
      for _, p in ipairs(points) do
        assert(p.valley.bend > 0 and math.abs(t.log2(p.learning_rate) * 8 % 1) < 1e-9)
        local grid_rate = p.grid:rate(p.index)
        assert(p.learning_rate >= grid_rate / 2 and p.learning_rate <= grid_rate * 2)
        moved = moved + (p.learning_rate ~= grid_rate and 1 or 0)
        assert(exp:decision { kind = "best", fresh_seeds = 2, learning_rate = p.learning_rate })
        for _, trial in ipairs(exp.trials) do
          if trial.seed > 3 and trial.batch_size == p.batch_size then assert(trial.learning_rate == p.learning_rate) end
        end
      end
      assert(moved > 0)
      exp:says("every size runs again, between the rates around ")
    end },

  { "seeds go to the size that widens the interval", "noise=0.3 sweep.precision=1.3", function(exp)
    local points = sweep.critical_batch(exp, { target = 0.2 })
    exp:says("of the critical batch size's variance; its interval is ")
    exp:says("1.3 is wanted, fresh seed 4")
    exp:says("(wanted: 1.3) after ")
    local further = 0
    for _, trial in ipairs(exp.trials) do further = further + (trial.seed > 3 and 1 or 0) end
    assert(further > 0 and further % 3 == 0 and further <= 3 * #points)
    for _, p in ipairs(points) do
      assert((p.fresh_seeds or 0) % 3 == 0 and #p.points == (p.fresh_seeds or 3))
    end
  end },

  -- At a corner the bend is known by all sizes, the fewest steps by one of them.
  { "seeds go to the fewest steps once the bend is known", function(exp)
    local answers = {}
    for k = 5, 14 do
      local points = {}
      for seed, off in ipairs { -0.24, 0.02, 0.22 } do
        points[seed] = { seed = seed, steps = math.max(2 ^ (14 - k), 16) * 2 ^ 4 * math.exp(off * (-1) ^ k), before = 0,
          censored = false, run = "r" }
      end
      answers[#answers + 1] = { batch_size = 2 ^ k, learning_rate = 2 ^ -5, target = 0.2, settings = {}, points = points,
        seeds = { 1, 2, 3 }, censored = false, steps = points[2].steps }
    end
    local changed = fresh.sharpen(exp, answers, { precision = 1.5, seeds = 3, max_epochs = 40 })
    assert(exp.trials[1].reason:find("^has the fewest steps; their interval is a factor of 1%.74 wide, 1.5 is wanted"),
      exp.trials[1].reason)
    assert(exp.trials[1].batch_size >= 2 ^ 10 and #changed > 0)
    exp:says(", that of the fewest steps ")
  end },

  { "a wide precision asks for nothing", "noise=0.1 sweep.precision=100", function(exp)
    sweep.critical_batch(exp, { target = 0.2 })
    for _, trial in ipairs(exp.trials) do assert(trial.seed <= 3) end
    assert(exp:count("decisions", { fresh_seeds = 3 }) == 0)
    exp:says("after 0 further runs")
  end },

  -- What a call is given decides, and nothing that another call left behind.
  { "two sweeps in one script do not meet", function(exp)
    local first = sweep.critical_batch(exp, { batch = { 64 }, target = 0.2 })
    sweep.critical_batch(exp, { batch = { 256 }, target = 0.2 })
    assert(sweep.budgets(exp, { from = first, steps = 100 })[1].batch_size == 64)
    t.refuses("budgets needs from: what critical_batch returned, or batch: a list of sizes",
      function() sweep.budgets(exp, { steps = 100 }) end)
  end },

  { "the decisions are those of every size, target and budget", "noise=0.1", function(exp)
    local points = sweep.critical_batch(exp, {})
    sweep.budgets(exp, { from = points, epochs = 2, steps = 500 })
    assert(exp:count("decisions", { kind = "best" }) == 2 * 6 and exp:count("decisions", { kind = "critical" }) == 2)
    assert(exp:count("decisions", { kind = "budget" }) == 2 * 6 and #exp.decisions == 2 * (6 + 1) + 2 * 6 + 1)
    assert(exp:decision { kind = "budget", budget = "epochs", amount = 2, batch_size = 32, best = true }.bracketed)
    exp:says("steps; perfect scaling predicts ")
    exp:says("2 epochs: batch 32 is best")
    exp:says("500 steps: batch 1024 is best")
  end },

  { "a series says its name", function(exp)
    local p = sweep.critical_batch(exp, { batch = { 64 }, target = 0.2, seeds = 2, series = "plain sgd" })
    sweep.budgets(exp, { from = p, steps = 100, series = "plain sgd" })
    assert(sweep.evaluate_test_set(exp, { from = p[1], series = "plain sgd" }))
    exp:says("plain sgd, batch 64: best lr")
    for _, kind in ipairs { "best", "critical", "budget", "test" } do
      assert(exp:count("decisions", { kind = kind, series = "plain sgd" }) == 1)
    end
    assert(exp:count("decisions", { series = "plain sgd" }) == 4)
    exp:says("plain sgd, after 100 steps: batch 64")
    exp:says("test rows, plain sgd, batch 64 at lr ")
  end },

  -- One evaluation, at the step where each seed reached its target, on all test rows; a seed that did not
  -- reach it has none.
  { "the test set is evaluated once", function(exp)
    local own, log = t.scripted(exp, function(trial)
      return { { step = trial.max_steps, value = trial.seed == 2 and 0.3 or 0.25 } }, "budget"
    end)
    local point = { batch_size = 64, learning_rate = 0.5, settings = { momentum = 0.8 },
      points = { { seed = 1, steps = 40 }, { seed = 2, steps = 50 }, { seed = 3, steps = 99, censored = true } } }
    assert(sweep.evaluate_test_set(own, { from = point }) == 0.25)
    assert(#log == 2 and log[2].seed == 2 and log[2].momentum == 0.8)
    assert(log[2].max_steps == 50 and log[2]["eval.first"] == 50)
    assert(log[1]["data.split"] == "test" and log[1]["data.eval_rows"] == "unset")
    point.points = { point.points[3] }
    assert(sweep.evaluate_test_set(own, { from = point }) == nil)
    sweep.evaluate_test_set(own, { batch_size = 64, learning_rate = 0.5, max_epochs = 2, seeds = 1 })
    assert(#log == 3 and log[3].max_steps == 2 * exp.epoch_rows // 64)
  end },

  -- Both sizes with the same seeds, none of which chose a rate; the budget at the rates tuned for it.
  { "pairs run on seeds of their own", function(exp)
    local points = sweep.critical_batch(exp, { batch = { 64, 512 }, target = 0.2, seeds = 2 })
    local budgets = sweep.budgets(exp, { from = points, epochs = 1, steps = 100 })
    local before = #exp.trials
    sweep.compare(exp, { from = points, budgets = budgets, pairs = { { 64, 512 } }, seeds = 3 })
    local d = exp:decision { kind = "compare", budget_epochs = 1 }
    assert(d.batch_sizes[1] == 64 and d.batch_sizes[2] == 512 and #d.runs[1] == 3 and #d.budget_runs[2] == 3)
    assert(d.budget_learning_rates[1] == budgets[1].rates[64] and #exp.trials - before == 12)
    for i = before + 1, #exp.trials do assert(exp.trials[i].seed >= 3 and exp.trials[i].seed <= 5) end
  end },

  { "every run has its reason", "noise=0.1", function(exp)
    local points = sweep.critical_batch(exp, { batch = { 32, 128, 512 }, refine = 1 })
    sweep.rules(exp, { from = points, limit = 2 })
    sweep.budgets(exp, { from = points, epochs = 0.1, steps = 400, seconds = 2, cost = 1e-5 })
    points = sweep.critical_batch(exp, { batch = { 32, 128 }, retune = { trials = 8, box = box } })
    sweep.budgets(exp, { from = points, steps = 100 })
    for _, trial in ipairs(exp.trials) do assert(#trial.reason > 0) end
    local found
    for _, d in ipairs(exp.decisions) do found = found or d.kind == "best" and d.box end
    assert(found.diverged)
  end },
}
