-- What is sent, and the hooks of wrk. `traffic`, above, says what is sent and what must come back.
--
-- Each thread of wrk has Lua globals of its own, which is why the counters are globals; `setup` and `done` run in a state
-- of wrk's main thread, `init`, `request` and `response` in that of each thread. A thread sends the requests of many
-- connections, and `response` is not told which of them it answers.

local order = traffic.order
local constant = #routes == 1 and #routes[1].bodies == 1
local match, floor = string.match, math.floor

benchrig_missing, benchrig_depth = "", 1

if constant then
  wrk.method, wrk.path, wrk.body = routes[1].method, routes[1].path, routes[1].bodies[1] or nil
  for name, value in pairs(routes[1].headers) do wrk.headers[name] = value end
end

-- The user's own script has the last word on the above; what it does when it is loaded must not fail unseen.
if traffic.script then
  local ran, problem = pcall(assert(loadstring(traffic.script.text, "@" .. traffic.script.name)))
  if not ran then
    io.stderr:write(tostring(problem), "\n")
    os.exit(1)
  end
end

local their_setup, their_init, their_done = setup, init, done

-- Captures: what a reply gave, by name, for the requests that need it.

local captured, captures = {}, {}
for _, route in ipairs(routes) do
  for name, pattern in pairs(route.capture) do
    captures[#captures + 1] = {status = route.status, name = name, pattern = pattern}
  end
end

local function note_missing()
  local names = {}
  for _, capture in ipairs(captures) do
    if not captured[capture.name] then names[#names + 1] = capture.name end
  end
  benchrig_missing = table.concat(names, ", ")
end

local function capture_from(status, body)
  for _, capture in ipairs(captures) do
    local value = status == capture.status and match(body, capture.pattern)
    if value then
      captured[capture.name] = value
      if benchrig_missing ~= "" then note_missing() end
    end
  end
end

-- Requests, in the order of `traffic`. One that never changes is made once: when it is first needed, because a thread of
-- wrk already sends while the next one loads its script.

local function fill(text)
  return (string.gsub(text, "{([^{}]+)}", captured))
end

local function made_of(route, body)
  local headers = {}
  for name, value in pairs(wrk.headers) do headers[name] = value end
  for name, value in pairs(route.headers) do headers[name] = fill(value) end
  return wrk.format(route.method, fill(route.path), headers, body and fill(body))
end

local made, turns, position, sent = {}, {}, 0, benchrig_sent
for index in ipairs(routes) do made[index] = {} end

-- Threads begin at different places, so that they do not send the same at the same time; steps begin at the first.
local function begin()
  local fraction = (benchrig_thread - 1) * 0.618034 % 1
  position = traffic.in_steps and 0 or floor(#order * fraction)
  for index, route in ipairs(routes) do turns[index] = floor(#route.bodies * fraction) end
  for unit in ipairs(units) do sent[unit] = 0 end
end

-- Returns the route to send when `index` is wanted: itself, or the one whose reply has what it still needs.
local function available(index)
  for _, need in ipairs(routes[index].needs) do
    if not captured[need.name] then return available(need.route) end
  end
  return index
end

local function next_request()
  local wanted = order[position % #order + 1]
  local index = available(wanted)
  if index == wanted then position = position + 1 end
  local bodies = routes[index].bodies
  local turn = turns[index] % #bodies + 1
  turns[index] = turn
  local text = made[index][turn] or made_of(routes[index], bodies[turn])
  if #routes[index].needs == 0 then made[index][turn] = text end
  local unit = routes[index].first + (routes[index].groups[turn] or 1)
  sent[unit] = sent[unit] + 1
  return text
end

-- wrk asks its first thread for one request that it only parses: that one does not count.
local function first_request()
  local parsed = next_request()
  begin()
  request = next_request
  return parsed
end

-- The hooks of wrk.

local threads = {}

function setup(thread)
  threads[#threads + 1] = thread
  thread:set("benchrig_thread", #threads)
  if their_setup then their_setup(thread) end
end

-- How many requests a script of the user's sends at once. wrk itself counts those of the first text, for good.
local function noting_depth(request)
  return function()
    local text = request()
    local at, depth = 1, 0
    while at <= #text do
      local _, head = find(text, "\r\n\r\n", at, true)
      if not head then break end
      local length = match(string.lower(string.sub(text, at, head)), "\r\ncontent%-length:%s*(%d+)")
      at, depth = head + 1 + (tonumber(length) or 0), depth + 1
    end
    benchrig_depth = depth
    _G.request = request
    return text
  end
end

function init(args)
  if their_init then their_init(args) end
  if request then request = noting_depth(request) end
  note_missing()
  if not constant and not request then
    wrk.body = nil -- wrk.format would give it to every request that has no body
    begin()
    request = benchrig_thread == 1 and first_request or next_request
  end
  response = checking(#captures > 0 and capture_from, response)
end

function done(summary, latency, requests)
  local ended = end_of_load()
  if their_done then their_done(summary, latency, requests) end
  local checked, replies = told(threads)
  local missing
  for _, thread in ipairs(threads) do
    if missing ~= "" then missing = thread:get("benchrig_missing") end
  end
  if checked > 0 and missing ~= "" then
    io.stderr:write("no reply had what a later request needs, by the pattern of its capture: ", missing, "\n")
  end
  local percentiles = {}
  for i, p in ipairs(traffic.percentiles) do
    percentiles[i] = string.format('"%s": %s', p, number(latency:percentile(tonumber(p))))
  end
  local mean, stdev = number(latency.mean), number(latency.stdev)
  local found = insight(summary, latency, requests, threads, ended)
  local e = summary.errors
  print(string.format(
    '%s{"requests": %d, "duration_us": %d, "bytes": %d, ' ..
    '"errors": {"connect": %d, "read": %d, "write": %d, "timeout": %d, "status": %d}, ' ..
    '"latency": {"min_us": %s, "max_us": %s, "mean_us": %s, "stdev_us": %s, "percentiles_us": {%s}}, %s' ..
    '%s, "pauses": %s, "depth": %d}',
    traffic.marker, summary.requests, summary.duration, summary.bytes,
    e.connect, e.read, e.write, e.timeout, e.status,
    number(latency.min), number(latency.max), mean, stdev, table.concat(percentiles, ", "), found,
    replies, tostring(type(delay) == "function"), threads[1]:get("benchrig_depth")))
end
