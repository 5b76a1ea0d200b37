/** Every scenario, in the order they run. */
import type { Scenario } from './scenario.ts'
import { backends } from './scenarios/backends.ts'
import { crossDialect, dialectCalls, dialectStreams } from './scenarios/dialects.ts'
import { databaseLog } from './scenarios/database-log.ts'
import { deciding } from './scenarios/deciding.ts'
import { grants } from './scenarios/grants.ts'
import { latency } from './scenarios/latency.ts'
import { live } from './scenarios/live.ts'
import { memory } from './scenarios/memory.ts'
import { mcpStreams } from './scenarios/mcp-streams.ts'
import { oldProcess } from './scenarios/old-process.ts'
import { chatBurst, chatHistory, chatJson, chatStream } from './scenarios/model-calls.ts'
import { peer } from './scenarios/peer.ts'
import { reading } from './scenarios/reading.ts'
import { start } from './scenarios/start.ts'
import { tokens } from './scenarios/tokens.ts'
import { toolCalls } from './scenarios/tool-calls.ts'
import { stdioServers } from './scenarios/stdio-servers.ts'
import { toolLatency } from './scenarios/tool-latency.ts'
import { toolLists } from './scenarios/tool-lists.ts'
import { trafficControl } from './scenarios/traffic-control.ts'
import { workers } from './scenarios/workers.ts'

export const scenarios: readonly Scenario[] = [
  chatJson,
  chatStream,
  chatBurst,
  chatHistory,
  trafficControl,
  tokens,
  dialectCalls,
  dialectStreams,
  crossDialect,
  toolCalls,
  toolLatency,
  toolLists,
  grants,
  deciding,
  mcpStreams,
  stdioServers,
  workers,
  latency,
  memory,
  oldProcess,
  start,
  backends,
  databaseLog,
  reading,
  live,
  peer,
]
