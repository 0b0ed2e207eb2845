-- The best validation value of each batch size: what is searched, what is compared, and on which seeds. The lowest
-- value of a run of the closed form is its last.
local sweep = require "sweep"
local t = require "testing"

local log2 = t.log2
local decays = "schedule.name=cosine schedule.horizon_epochs=1 eval.growth=1.25"
local box = { sweep.log("learning_rate", 2 ^ -12, 2 ^ -4), sweep.log("weight_decay", 2 ^ -11, 2 ^ -3) }
local function asked(more)
  local all = { box = box, batch = { 64, 256 }, steps = 200, trials = 32, widen = 0, seeds = 1, fresh = 5 }
  for name, value in pairs(more or {}) do all[name] = value end
  return all
end

local function find(list, part, size)
  for _, entry in ipairs(list) do
    if entry.part == part and entry.batch_size == size then return entry end
  end
  error("no " .. part .. " of batch " .. size)
end

return t.cases {
  { "the settings of each part", decays, function(exp)
    local list = sweep.quality(exp, asked())
    assert(#list == 8)
    for _, size in ipairs { 64, 256 } do
      local best = 2 ^ -9 * math.sqrt(size / 64)
      assert(math.abs(log2(find(list, "all", size).learning_rate / best)) < 0.6)
      assert(math.abs(log2(find(list, "rate", size).learning_rate / best)) < 0.6)
      assert(math.abs(log2(find(list, "all", size).settings["optimizer.weight_decay"] / 2 ^ -7)) < 1.5)
    end
    local base, followed, kept = find(list, "all", 64), find(list, "rate", 256), find(list, "none", 256)
    assert(followed.learning_rate ~= base.learning_rate and kept.learning_rate == base.learning_rate)
    local decay = base.settings["optimizer.weight_decay"]
    assert(followed.settings["optimizer.weight_decay"] == decay and kept.settings["optimizer.weight_decay"] == decay)
    assert(kept.value > followed.value)
    assert(find(list, "half", 256).learning_rate == find(list, "all", 256).learning_rate)
  end },

  -- Every run that is compared has a seed above those that chose; the smallest size runs once for three parts.
  { "fresh seeds", decays, function(exp)
    local list = sweep.quality(exp, asked { seeds = 2, fresh = 3 })
    for _, entry in ipairs(list) do
      assert(#entry.runs == 3)
      for s, run in ipairs(entry.runs) do assert(exp:trial { run = run }.seed == 2 + s) end
    end
    for _, part in ipairs { "rate", "none" } do
      for s = 1, 3 do assert(find(list, part, 64).runs[s] == find(list, "all", 64).runs[s]) end
    end
    assert(exp:count("trials", { round = #exp.rounds }) <= 6 * 3)
    assert(exp:count("decisions", { kind = "custom" }) == 8)
  end },

  -- Epochs or steps, whichever is more; the schedule ends at the last step, and so do the evaluations.
  { "ample steps", decays .. " sweep.max_epochs=1e6", function(exp)
    local list = sweep.quality(exp, asked { epochs = 0.25, trials = 4 })
    local small, large = find(list, "all", 64), find(list, "all", 256)
    assert(small.steps >= 391 and small.steps < 440 and large.steps >= 200 and large.steps < 225)
    local half = find(list, "half", 64).steps
    assert(half >= 195 and half < 220)
    for _, entry in ipairs(list) do
      local trial = exp:trial { run = entry.runs[1], max_steps = entry.steps } -- the host's runs know no budget
      local horizon = trial["schedule.horizon_epochs"] * exp.epoch_rows / entry.batch_size
      assert(math.floor(horizon + 0.5) == entry.steps and trial.steps == entry.steps)
      assert(#trial.evals >= 9 and trial.evals[1].step <= entry.steps / 8 + 1)
    end
  end },

  { "lowest on the way, not the last", decays, function(exp)
    local own = t.scripted(exp, function(trial)
      local dip = math.abs(log2(trial.learning_rate) + 8)
      return { { step = 10, value = 0.2 + dip / 100 }, { step = 20, value = 0.9 - dip / 100 } }, "budget"
    end)
    local list = sweep.quality(own, asked())
    local all = find(list, "all", 64)
    assert(math.abs(log2(all.learning_rate) + 8) < 0.6 and all.value < 0.21)
  end },

  -- At the larger size the rate decides, so the search takes the point whose rate is nearest, and its decay with it.
  -- The smallest size's decay with a rate of its own is better, and is taken.
  { "the smallest size's settings compete", decays, function(exp)
    local own = t.scripted(exp, function(trial)
      local decay = math.abs(log2(trial["optimizer.weight_decay"]) + 7)
      local rate = trial.batch_size == 64 and 0 or math.abs(log2(trial.learning_rate) + 5.3)
      return { { step = 1, value = 0.1 + decay / 1000 + rate / 10 } }, "budget"
    end)
    local list = sweep.quality(own, asked { trials = 8, finalists = 1 })
    local base, all = find(list, "all", 64), find(list, "all", 256)
    assert(all.settings["optimizer.weight_decay"] == base.settings["optimizer.weight_decay"])
    assert(all.value == find(list, "rate", 256).value)
  end },

  -- Where the best decay moves with the batch size, the search finds what the smallest size's settings miss.
  { "the search competes", decays, function(exp)
    local own = t.scripted(exp, function(trial)
      local best = trial.batch_size == 64 and -9 or -5
      return { { step = 1, value = 0.1 + math.abs(log2(trial["optimizer.weight_decay"]) - best) / 100 } }, "budget"
    end)
    local all = find(sweep.quality(own, asked()), "all", 256)
    assert(math.abs(log2(all.settings["optimizer.weight_decay"]) + 5) < 0.5)
  end },

  -- No result is an entry without one. A size whose runs all diverge keeps the entry that nothing chose.
  { "divergence", decays .. " diverge_above=0.9", function(exp)
    local list = sweep.quality(exp, asked { batch = { 64, 4096 },
      box = { sweep.log("learning_rate", 2 ^ -9, 2 ^ -8.2) } })
    assert(find(list, "none", 64).value < math.huge)
    local own = t.scripted(exp, function(trial)
      if trial.batch_size == 256 then return { { step = 1 } }, "diverged" end
      return { { step = 1, value = 0.5 } }, "budget"
    end)
    for _, entry in ipairs(sweep.quality(own, asked { trials = 2 })) do
      assert(entry.batch_size == 64 or (entry.part == "none" and entry.value == math.huge))
    end
  end },

  t.refused(function(exp) sweep.quality(exp, { box = box, epochs = 1 }) end,
    "quality needs a schedule that decays: schedule.name is constant"),
  t.refused(function(exp) sweep.quality(exp, { box = box }) end, "quality needs epochs or steps: how long a run is"),
  t.refused(function(exp) sweep.quality(exp, { box = box, epochs = 1, margins = 1 }) end,
    "quality has no option 'margins', did you mean 'margin'?"),
  t.refused(function(exp) sweep.quality(exp, { epochs = 1 }) end,
    "a box is a list of axes: { sweep.log(\"learning_rate\", 2^-12, 2^-4), ... }", decays),
  t.refused(function(exp) sweep.search(exp, { batch_size = 64, box = box, target = 0.2, lowest = true }) end,
    "lowest goes with a budget: a target is passed once"),
}
