-- The race against the whole grid: for each target and batch size, whether sweep.retune names the winner
-- of every rate and seed run to the target or the budget, with lr_search "exhaustive" and "local", and the steps
-- that each took. A run's steps count once, however often it is asked for.
local sweep, candidates = require "sweep", require "candidates"

local function counting(exp)
  local far, total = {}, 0
  local function run(_, round)
    local results = exp:run(round)
    for _, r in ipairs(results) do
      total = total + math.max(0, r.steps - (far[r.run] or 0))
      far[r.run] = math.max(far[r.run] or 0, r.steps)
    end
    return results
  end
  local proxy = { run = run, decide = function(_, d) exp:decide(d) end,
    grid_ceil = function(_, n) return exp:grid_ceil(n) end }
  return setmetatable(proxy, { __index = function(_, name) return exp[name] end }),
    function() return total end
end

local function race(exp, target, lr_search)
  local counted, spent = counting(exp)
  return sweep.critical_batch(counted, { target = target, retune = { lr_search = lr_search } }), spent()
end

local function exhaustive(exp, point)
  local f = candidates.new(exp, { batch_size = point.batch_size, target = point.target, seeds = point.seeds, slack = 1,
    max_epochs = exp.config["sweep.max_epochs"] })
  local wanted = {}
  for k = point.grid.low, point.grid.high do
    for seed = 1, #point.seeds do
      wanted[#wanted + 1] = { key = k, set = { learning_rate = point.grid:rate(k) }, seed = seed, reason = "the whole grid" }
    end
  end
  f:run(wanted, false)
  return f:leader()
end

local function same(point, best)
  return point.index == best.key and point.value == best.value and point.censored == (best.steps == math.huge)
    and (point.censored or point.steps == math.floor(best.steps + 0.5))
end

return function(exp)
  for _, target in ipairs(exp.config["sweep.targets"]) do
    local all, by_all = race(exp, target, "exhaustive")
    local near, by_near = race(exp, target, "local")
    local counted, spent = counting(exp)
    local all_same, near_same, fewest = 0, 0, {}
    for i, point in ipairs(all) do
      local best = exhaustive(counted, point)
      fewest[i] = best.steps < math.huge and string.format("%g", best.steps) or "never"
      all_same = all_same + (point.whole_grid and same(point, best) and 1 or 0)
      near_same = near_same + (same(near[i], best) and 1 or 0)
    end
    exp:decide { kind = "custom", data = { target = target, sizes = #all, all = all_same, near = near_same,
      by_grid = spent(), by_all = by_all, by_near = by_near },
      text = string.format("target %g (%s steps): of %d winners of the whole grid the race found %d in %.1f %% of its "
        .. "steps; %d in %.1f %% looking near the best only", target, table.concat(fewest, ", "), #all, all_same,
        100 * by_all / spent(), near_same, 100 * by_near / spent()) }
  end
end
