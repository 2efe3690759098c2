-- Latency as it was measured, and what wrk's threads counted: read in one pass from wrk's own structures, by LuaJIT's FFI.
--
-- Before `done`, wrk adds latencies of requests that it never sent (docs/latency.md). They are taken out again here and not
-- on the controller, because the histogram that wrk has then may have a bin for each microsecond up to the timeout; the
-- measured one has no more than there were replies. The structures are the same in wrk 4.0 to 4.2. Where there is no FFI, or
-- what is found disagrees with what wrk's own functions say, nothing is returned.

local declarations = [[
  typedef struct { uint64_t count, limit, min, max, data[]; } benchrig_stats;
  typedef struct {
    unsigned long pthread; void *loop, *addr;
    uint64_t connections, complete, requests, bytes, start;
  } benchrig_worker;
  int benchrig_clock(int64_t *now, void *zone) __asm__("gettimeofday");
]]

local function number(value)
  if value ~= value or value == math.huge or value == -math.huge then return "0" end
  return string.format("%.3f", value)
end

-- Returns wrk's threads as FFI sees them; nil where their counts are not those of the summary.
local function workers_of(ffi, threads, summary)
  local workers, complete, bytes = {}, 0, 0
  for i, thread in ipairs(threads) do
    local worker = ffi.cast("benchrig_worker **", thread)[0]
    workers[i] = worker
    complete, bytes = complete + tonumber(worker.complete), bytes + tonumber(worker.bytes)
  end
  return complete == summary.requests and bytes == summary.bytes and workers or nil
end

-- Takes out of the bins what wrk's correction has added to them: it adds the count of each bin, beginning with the lowest,
-- to lower bins only, so that going down from the highest finds every bin as it was measured.
local function uncorrect(data, max, interval)
  for n = max, 2 * interval, -1 do
    local count = data[n]
    if count ~= 0 then
      for m = n - interval, interval + 1, -interval do data[m] = data[m] - count end
    end
  end
end

-- Returns the latencies in microseconds that were measured, in order, and how often each was; nil where wrk's structure is
-- another one.
local function bins_of(stats, latency, interval)
  local max, min = tonumber(stats.max), tonumber(stats.min)
  if max ~= latency.max or min ~= latency.min or min > max or stats.max >= stats.limit then return nil end
  local data, corrected = stats.data, tonumber(stats.count)
  local from = interval > 0 and math.min(min, interval) or min
  local sum = 0
  for n = from, max do sum = sum + tonumber(data[n]) end
  if sum ~= corrected then return nil end
  if interval > 0 then uncorrect(data, max, interval) end
  local values, counts, total = {}, {}, 0
  for n = from, max do
    local count = tonumber(data[n])
    if count ~= 0 then
      values[#values + 1], counts[#counts + 1], total = n, count, total + count
    end
  end
  return values, counts, total
end

-- Returns mean, standard deviation and percentiles as wrk computes them.
local function figures_of(values, counts, total)
  local sum, squares = 0, 0
  for i = 1, #values do sum = sum + values[i] * counts[i] end
  local mean = sum / total
  for i = 1, #values do squares = squares + (values[i] - mean) ^ 2 * counts[i] end
  local percentiles, seen, i = {}, 0, 0
  for k, p in ipairs(traffic.percentiles) do
    local rank = math.min(math.floor(tonumber(p) / 100 * total) + 1, total)
    while seen < rank do
      i = i + 1
      seen = seen + counts[i]
    end
    percentiles[k] = string.format('"%s": %d', p, values[i])
  end
  return string.format('{"min_us": %d, "max_us": %d, "mean_us": %.3f, "stdev_us": %.3f, "percentiles_us": {%s}}',
    values[1], values[#values], mean, total > 1 and math.sqrt(squares / (total - 1)) or 0, table.concat(percentiles, ", "))
end

-- Returns the same in bins that are at most 1/128 of their value wide, as a flat list: how far each bin begins above the one
-- before it, and its count.
local function coarse(values, counts)
  local starts, sums = {}, {}
  for i, value in ipairs(values) do
    local _, exponent = math.frexp(value)
    local width = 2 ^ math.max(0, exponent - 8)
    local start = math.floor(value / width) * width
    if start ~= starts[#starts] then starts[#starts + 1], sums[#sums + 1] = start, 0 end
    sums[#sums] = sums[#sums] + counts[i]
  end
  local list = {}
  for i, start in ipairs(starts) do list[i] = string.format("%d, %d", start - (starts[i - 1] or 0), sums[i]) end
  return table.concat(list, ", ")
end

local function now()
  local ffi = require("ffi")
  ffi.cdef(declarations)
  local time = ffi.new("int64_t[2]")
  ffi.C.benchrig_clock(time, nil)
  return tonumber(time[0]) * 1e6 + tonumber(time[1])
end

-- Returns when the load ended, in microseconds; nil where there is no FFI. To be called before anything that takes time.
local function end_of_load()
  local told, time = pcall(now)
  return told and time or nil
end

local function look(summary, latency, requests, threads, ended)
  local ffi = require("ffi")
  local workers = workers_of(ffi, threads, summary)
  if not workers then return "" end
  local each, connections, last = {}, 0, 0
  for i, worker in ipairs(workers) do
    each[i] = string.format("%d", tonumber(worker.complete))
    connections = connections + tonumber(worker.connections)
    last = math.max(last, tonumber(worker.start)) -- the end of the last tenth of a second in which it had a reply
  end
  local silent = math.min(math.max(0, ended - last), summary.duration)
  local found = string.format('"thread_requests": [%s], "thread_requests_per_second": %s, "silent_us": %d, ',
    table.concat(each, ", "), number(requests.mean), silent)
  -- The interval of wrk's correction, with its integer divisions; it corrects nothing when requests < connections.
  local turns = math.floor(summary.requests / connections)
  local interval = turns > 0 and math.floor(summary.duration / turns) or 0
  local values, counts, total = bins_of(ffi.cast("benchrig_stats **", latency)[0], latency, interval)
  if not values then return found end
  return string.format('%s"measured": %s, "bins": [%s], ', found, figures_of(values, counts, total), coarse(values, counts))
end

-- Returns what is known beside wrk's own figures, as members of a JSON object that go before others. After this, wrk's
-- histogram is no longer corrected.
local function insight(summary, latency, requests, threads, ended)
  local looked, found = pcall(look, summary, latency, requests, threads, ended)
  return looked and found or ""
end
