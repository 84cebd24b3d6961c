-- load.lua — what wrk sends. Arguments: MODE THREADS BODY PATHS BASE ZONES
--
--   get     the paths of PATHS, one after the other        put     the same with BODY
--   spread  put, for so many paths that their requests are put together one by one
--   update  put, with another configuration each time      new     names that nobody had, in ZONES zones
--   mixed   of 40 requests 38 are put's, 1 is an update, 1 is new
--
-- Each thread has paths and names of its own, by counters that no connection shares with another thread's. BASE is where the counter
-- of new names and of configurations begins. Requests are made beforehand as far as they can be.
local bit = require("bit")
local MARK = "00000000" -- in BODY: where configurations differ
local UPDATED_PATHS = 1000 -- of mixed: the last ones
local WORDS = {"gateway", "inventory", "notification", "session", "recommendation", "ledger", "audit"}
local threads = 0

function setup(thread)
   thread:set("id", threads)
   threads = threads + 1
end

local function read(path)
   local file = assert(io.open(path, "rb"))
   local text = file:read("*a")
   file:close()
   return text
end

-- This thread's lines from the first-th to the last-th.
local function read_paths(path, all, first, last)
   local paths, n = {}, 0
   for line in io.lines(path) do
      n = n + 1
      if n >= first and n <= last and n % all == id then paths[#paths + 1] = line end
   end
   return paths
end

local function get_of(path) return "GET " .. path .. " HTTP/1.1\r\nHost: localhost\r\n\r\n" end

local function tail_of(body)
   return " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " .. #body .. "\r\n\r\n" .. body
end

local function each_of(list)
   local i, n = 0, #list
   assert(n > 0, "a thread has no path")
   return function()
      i = i % n + 1
      return list[i]
   end
end

local function prepared(paths, make)
   local requests = {}
   for i, path in ipairs(paths) do requests[i] = make(path) end
   return each_of(requests)
end

local function spread(paths, body)
   local next_path, tail = each_of(paths), tail_of(body)
   return function() return "PUT " .. next_path() .. tail end
end

local function update(paths, body, base, all)
   local at = assert(body:find(MARK, 1, true), "the body has no mark")
   local before, after = tail_of(body):match("^(.*)" .. MARK .. "(.*)$")
   local next_head = prepared(paths, function(path) return "PUT " .. path .. before end)
   local n = base + id
   return function()
      n = n + all
      return next_head() .. bit.tohex(n) .. after
   end
end

-- As in the prefilled stores, words and numbers permuted by an odd factor, so that names come in no order.
local function new(body, base, all, zones)
   local heads, n_words, tail = {}, #WORDS, ".new" .. tail_of(body)
   for zone = 0, zones - 1 do
      for word = 0, n_words - 1 do
         local name = zones == 1 and "east" or string.format("zone-eu-west-%02d", zone)
         heads[zone * n_words + word] = "PUT /v1/meshes/default/zones/" .. name .. "/services/" .. WORDS[word + 1] .. "-api-"
      end
   end
   local n, n_heads = base + id, zones * n_words
   return function()
      n = n + all
      local number = n * 2654435761 % 4294967296
      return heads[math.floor(number / 64) % n_heads] .. bit.tohex(number) .. tail
   end
end

local function mixed(same, changed, fresh)
   local n = 0
   return function()
      n = (n + 1) % 40
      if n == 0 then return changed() end
      if n == 20 then return fresh() end
      return same()
   end
end

function init(args)
   local mode, all, body, path = args[1], tonumber(args[2]), read(args[3]), args[4]
   local base, zones = tonumber(args[5]), tonumber(args[6])
   local put_of = function(p) return "PUT " .. p .. tail_of(body) end
   local modes = {
      get = function() return prepared(read_paths(path, all, 1, math.huge), get_of) end,
      put = function() return prepared(read_paths(path, all, 1, math.huge), put_of) end,
      spread = function() return spread(read_paths(path, all, 1, math.huge), body) end,
      update = function() return update(read_paths(path, all, 1, math.huge), body, base, all) end,
      new = function() return new(body, base, all, zones) end,
      mixed = function()
         local n = 0
         for _ in io.lines(path) do n = n + 1 end
         local split = n - UPDATED_PATHS
         return mixed(prepared(read_paths(path, all, 1, split), put_of),
                      update(read_paths(path, all, split + 1, n), body, base, all), new(body, base, all, zones))
      end,
   }
   request = modes[mode]()
end

function done(summary, latency)
   local e = summary.errors
   print(string.format(
      'RESULT {"n":%d,"seconds":%.6f,"p50_ms":%.4f,"p99_ms":%.4f,"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, e.connect, e.read,
      e.write, e.status, e.timeout))
end
