-- Budgets, and the rules that carry a rate from one size to the others.
local sweep = require "sweep"
local t = require "testing"

return t.cases {
  -- The host's best rate is the same for any budget: the answer is found from a centre that is off, and what
  -- the race ran already serves.
  { "budgets retune", function(exp)
    local point = { batch_size = 64, learning_rate = 2 ^ -11, seeds = { 1, 2, 3 } }
    local kept = sweep.budgets(exp, { from = { point }, steps = 300, retune = false })
    local best = sweep.budgets(exp, { from = { point }, steps = 300 })
    assert(kept[1].learning_rate == 2 ^ -11 and best[1].learning_rate == 2 ^ -9)
    assert(best[1].value < kept[1].value)
    assert(exp:decision { kind = "budget", budget = "steps", retuned = true, best = true }.bracketed)
    exp:decision { kind = "budget", budget = "steps", retuned = false, best = true }
    exp:says("the rate tuned for the target, read at the budget: batch 64, budget of 300 steps, seed 2")
    exp:says("extends the grid up: 0.000977 leads")
  end },

  { "budgets take the median seed", "noise=0.3", function(exp)
    local point = { batch_size = 64, learning_rate = 2 ^ -9, seeds = { 1, 2, 3, 4, 5 } }
    local round, values = {}, {}
    for i = 1, 5 do round[i] = { batch_size = 64, learning_rate = 2 ^ -9, seed = i, max_steps = 300 } end
    for i, r in ipairs(exp:run(round)) do values[i] = r.evals[#r.evals].value end
    table.sort(values)
    assert(values[2] < values[3] and values[3] < values[4])
    local best = sweep.budgets(exp, { from = { point }, steps = 300 })
    assert(#best == 1 and best[1].value == values[3])
  end },

  -- Rates tuned for every target are begun with; one that is not on the grid gets a grid around it.
  { "budgets begin at tuned rates", "eval.growth=1", function(exp)
    sweep.budgets(exp, { steps = 100, from = { { batch_size = 64, learning_rate = 2 ^ -9, rates = { 2 ^ -9, 2 ^ -4 },
      seeds = { 1 } } } })
    sweep.budgets(exp, { steps = 100, from = { { batch_size = 64, learning_rate = 0.003, seeds = { 1 } } } })
    exp:trial { batch_size = 64, learning_rate = 2 ^ -5, max_steps = 100, outcome = "diverged", steps = 1,
      reason = "around 0.0625: tuned for a target" }
    exp:trial { reason = "around 0.003: tuned for a target" }
    exp:decision { kind = "budget", batch_size = 64, best = true, bracketed = true, learning_rate = 0.0015 }
  end },

  { "budgets stand alone", function(exp)
    local best = sweep.budgets(exp, { batch = { 32, 1024 }, epochs = { 1, 2 }, steps = 500 })
    assert(#best == 3 and best[1].amount == 1 and best[2].amount == 2)
    assert(best[1].batch_size == 32 and best[3].batch_size == 1024)
    exp:says("1 epoch: batch 32 is best")
  end },

  -- The host's step takes 1 ms + 10 us for each example: 1 s is 757 steps of 32, 163 of 512.
  { "time and cost become steps", "memory_above=512 cost.per_core_hour=0.5 eval.growth=1", function(exp)
    sweep.budgets(exp, { batch = { 32, 512, 1024 }, seconds = 1, seeds = 1, cost = 1 / 3600 })
    exp:trial { batch_size = 32, learning_rate = 2 ^ -10, max_steps = 757, outcome = "budget", steps = 757,
      reason = "around 0.000977: the grid's start" }
    exp:trial { batch_size = 512, learning_rate = 2 ^ -8, max_steps = 163, steps = 163 }
    exp:trial { batch_size = 32, learning_rate = 2 ^ -10, max_steps = 1515, steps = 1515 }
    local seconds = exp:decision { kind = "budget", budget = "cost", batch_size = 32 }.seconds_per_step
    assert(math.abs(seconds - 0.00132) < 1e-9)
    exp:says("1 s: batch 1024 has no time per step: it does not fit in memory")
    exp:says("0.000277778 EUR: batch ")
  end },

  -- 512 needs four devices of 128: three times half a second, or 1e-4 core-hours, are gone before the first
  -- step of 6.12 ms.
  { "devices cost upfront", "cost.per_core_hour=1 eval.growth=1 cost.device_batch_size=128 cost.upfront_seconds=0.5 " ..
      "cost.upfront_core_hours=1e-4", function(exp)
    sweep.budgets(exp, { batch = { 64, 512, 1024 }, seconds = 2, seeds = 1, cost = 0.001 })
    exp:trial { batch_size = 64, learning_rate = 2 ^ -10, max_steps = 1219, steps = 1219 }
    exp:trial { batch_size = 512, learning_rate = 2 ^ -8, max_steps = 81, steps = 81 }
    exp:says("2 s: batch 1024 is left out: not one step fits (0.0112 s each)")
    exp:trial { batch_size = 512, learning_rate = 2 ^ -8, max_steps = 411, steps = 411 }
  end },

  -- lr_opt(B) grows by the square root, so that rule costs nothing; keep is off by half a doubling for each
  -- doubling of B: at 16 times the size 2^(0.4 * 2^2) = 3.03 times the steps.
  { "rules are judged", "eval.growth=1.001", function(exp)
    local points = sweep.critical_batch(exp, { target = 0.2, batch = { 64, 1024 }, seeds = 1 })
    assert(points[1].learning_rate == 2 ^ -9 and points[2].learning_rate == 2 ^ -7)
    local sums = sweep.rules(exp, { from = points, rules = { "keep", "sqrt", "linear" }, limit = 4 })
    assert(sums[1].rule == "keep" and math.abs(sums[1].worst - 2 ^ 1.6) < 0.05)
    assert(sums[2].worst == 1 and math.abs(sums[3].worst - 2 ^ 1.6) < 0.05)
    local low = sweep.rules(exp, { from = points, rules = { "keep" }, limit = 1.5 })
    assert(low[1].bound and low[1].worst == 1.5)
    exp:says("rule sqrt at batch 1024: lr 0.00781 takes 1.00 times the steps of lr 0.00781")
    exp:says("rule keep at batch 1024: lr 0.00195 takes at least 1.50 times")
    exp:says("the rule keep from batch 64, seed 1")
  end },

  -- 2^-9 sqrt((1 + 64/64) / (1 + 64/128)), and at 1024 2^-9 sqrt(2 / (1 + 1/16)).
  { "malladi has a domain", function(exp)
    local points = sweep.critical_batch(exp, { target = 0.2, batch = { 64, 128, 1024 }, seeds = 1 })
    sweep.rules(exp, { from = points, rules = { "malladi", "saturating", "sqrt", "sqrt" }, b_star = 64, limit = 4 })
    exp:says("rule malladi at batch 128: lr 0.00276 takes ")
    exp:says("rule malladi at batch 1024: leaves its domain: a beta would fall below 0")
    exp:says("rule saturating at batch 128: lr 0.00226 takes ")
    exp:says("rule saturating at batch 1024: lr 0.00268 takes ")
  end },

  -- Adam at 2^-9 and 64: half_life and decay move the rate by the root, surge by f with B_n = 128, which is lowest at
  -- 128 x 128 / 64 = 256 what it is at 64.
  { "rules move more than the rate", "optimizer.name=adamw optimizer.weight_decay=0.01 sweep.noise_scale=128", function(exp)
    local points = sweep.critical_batch(exp, { target = 0.2, batch = { 64, 128, 256 }, seeds = 1 })
    local sums = sweep.rules(exp, { from = points, rules = { "half_life", "decay", "surge" }, limit = 4 })
    assert(#sums == 3)
    exp:says("rule half_life at batch 256: lr 0.00391 takes ")
    exp:says("rule decay at batch 256: lr 0.00391 takes ")
    exp:says("rule surge at batch 128: lr 0.00207 takes ")
    exp:says("rule surge at batch 256: lr 0.00195 takes ")
    exp:trial { batch_size = 256, learning_rate = 2 ^ -8, ["optimizer.weight_decay"] = 0.02 }
  end },

  { "rules of momentum", "optimizer.name=momentum optimizer.momentum=0.5", function(exp)
    local points = sweep.critical_batch(exp, { target = 0.2, batch = { 64, 128 }, seeds = 1 })
    sweep.rules(exp, { from = points, rules = { "half_life", "decay", "surge" }, limit = 4 })
    exp:trial { batch_size = 128, learning_rate = 2 ^ -9 * 2 * 0.75 / 0.5, ["optimizer.momentum"] = 0.25 }
    exp:says("rule decay at batch 128: there is no weight decay to move")
    exp:says("rule surge at batch 128: is a rule for adam and adamw, not momentum")
  end },

  { "rules that say nothing", "optimizer.name=adam", function(exp)
    local points = sweep.critical_batch(exp, { target = 0.2, batch = { 64, 128 }, seeds = 1 })
    sweep.rules(exp, { from = points, rules = { "decay", "surge" }, limit = 4 })
    exp:says("rule decay at batch 128: adam's weight decay goes through its averages")
    exp:says("rule surge at batch 128: needs sweep.noise_scale: batchlab find measures it")
  end },
}
