-- Quasi-random search: what it finds, what it draws, and where a box is widened.
local sweep = require "sweep"
local t = require "testing"

local log2 = t.log2
local box = { sweep.log("learning_rate", 2 ^ -12, 2 ^ -6), sweep.log("weight_decay", 2 ^ -12, 2 ^ -2) }

return t.cases {
  { "search comes near the optimum", function(exp)
    local best = sweep.search(exp, { batch_size = 64, target = 0.2, trials = 64, seeds = 2, box = box })
    assert(math.abs(log2(best.learning_rate / 2 ^ -9)) < 1)
    local decay = log2(best.settings["optimizer.weight_decay"] / 2 ^ -7)
    assert(math.abs(decay) < 1.5, decay .. " " .. best.steps)
    assert(best.bracketed and best.box.widened == 0 and #best.runs == 2)
    assert(best.box.feasible == 64 and best.box.diverged == 0 and not best.box.short)
    assert(best.steps < 1.15 * 569)
  end },

  -- Diverged points do not use up the trials, and the same points are asked of every size.
  { "diverged points are counted apart", "diverge_above=1.5", function(exp)
    for _, size in ipairs { 64, 256 } do
      local best = sweep.search(exp, { batch_size = size, target = 0.2, trials = 16, seeds = 1, widen = 0, box = box })
      assert(best.box.feasible == 16 and best.box.diverged > 0)
    end
    exp:says("16 feasible wanted: ")
    assert(exp:trial { batch_size = 64 }.learning_rate == exp:trial { batch_size = 256 }.learning_rate)
  end },

  { "search gives up on a diverging box", function(exp)
    local best = sweep.search(exp, { batch_size = 64, target = 0.2, trials = 8, seeds = 1, widen = 0,
      box = { sweep.log("learning_rate", 2 ^ -2, 2 ^ 2) } })
    assert(best.box.short and best.box.feasible == 0 and best.box.diverged == 32)
    assert(best.censored)
  end },

  { "a best point at the edge widens the box", function(exp)
    local best = sweep.search(exp, { batch_size = 64, target = 0.2, trials = 16, seeds = 1, widen = 4,
      box = { sweep.log("learning_rate", 2 ^ -15, 2 ^ -11.5) } })
    assert(best.box.widened > 0 and best.bracketed and #best.box.edge == 0)
    assert(best.learning_rate > 2 ^ -10 and best.learning_rate < 2 ^ -8)
    local stuck = sweep.search(exp, { batch_size = 64, target = 0.2, trials = 16, seeds = 1, widen = 0,
      box = { sweep.log("learning_rate", 2 ^ -15, 2 ^ -11.5) } })
    assert(not stuck.bracketed and stuck.box.edge[1] == "learning_rate")
    exp:says("lies at the edge of learning_rate: the box is widened")
  end },

  { "the lower edge widens", function(exp)
    local p = t.scripted(exp, function(trial)
      return { { step = math.floor(20 + 10 * math.abs(log2(trial.learning_rate) + 9)), value = 0.1 } }
    end)
    local best = sweep.search(p, { batch_size = 64, target = 0.2, trials = 16, seeds = 1, widen = 3,
      box = { sweep.log("learning_rate", 2 ^ -8, 2 ^ -2) } })
    assert(best.box.widened == 1 and best.bracketed, best.box.widened)
    assert(math.abs(log2(best.learning_rate) + 9) < 0.5)
  end },

  -- Nothing beats the point of the first box: its edge was looked beyond.
  { "a best point of the narrower box is not at the wider one's edge", function(exp)
    local seen = {}
    local p = t.scripted(exp, function(trial)
      local first = seen.lr == nil or trial.learning_rate < seen.lr and #seen < 16
      seen[#seen + 1] = trial
      if first then seen.lr = trial.learning_rate end
      return { { step = #seen <= 16 and math.floor(1000 + 100 * log2(trial.learning_rate)) or 900, value = 0.1 } }
    end)
    local best = sweep.search(p, { batch_size = 64, target = 0.2, trials = 16, seeds = 1, widen = 3,
      box = { sweep.log("learning_rate", 2 ^ -8, 2 ^ -2) } })
    assert(best.learning_rate == seen.lr and best.box.widened == 1 and best.bracketed)
  end },

  { "the first few get every seed", function(exp)
    sweep.search(exp, { batch_size = 64, target = 0.2, trials = 16, seeds = 2, slack = 3, finalists = 3,
      box = { sweep.log("learning_rate", 2 ^ -11, 2 ^ -7) } })
    exp:says("is number 1 so far, seed 2")
    exp:says("is number 3 so far, seed 2")
    assert(not exp:finds("is number 4 so far"))
  end },

  -- The box ends where the setting does: nothing lies beyond, so nothing is flagged.
  { "a setting's own limit is not an edge", "decay_opt=64 decay_curvature=0.05", function(exp)
    local best = sweep.search(exp, { batch_size = 64, target = 0.2, trials = 32, seeds = 1,
      settings = { learning_rate = 2 ^ -9 }, box = { sweep.log("weight_decay", 2 ^ -6, 10) } })
    assert(best.bracketed and best.box.widened == 0)
  end },

  { "axes take any number", function(exp)
    local p, seen = t.scripted(exp, function(trial)
      return { { step = 5, value = math.abs(trial["model.embedding_dropout"] - 0.5) } }, "budget"
    end)
    sweep.search(p, { batch_size = 64, max_steps = 5, trials = 64, seeds = 1, widen = 0, box = {
      sweep.log("1-optimizer.beta1", 0.01, 0.5), sweep.linear("embedding_dropout", 0, 0.9),
      sweep.linear("eval.first", 1, 9), sweep.linear("model.dropout", 0, 0.5) } })
    assert(#seen == 64)
    local low = 0
    for _, trial in ipairs(seen) do
      assert(trial["optimizer.beta1"] >= 0.5 and trial["optimizer.beta1"] <= 0.99)
      assert(math.type(trial["eval.first"]) == "integer" and trial["eval.first"] <= 9)
      assert(#trial["model.dropout"] == 1 and trial["model.dropout"][1] < 0.5)
      if 1 - trial["optimizer.beta1"] < math.sqrt(0.01 * 0.5) then low = low + 1 end
    end
    assert(low == 32, low)
  end },
}
