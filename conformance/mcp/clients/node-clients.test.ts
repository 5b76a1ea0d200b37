/** Clients from npm that somebody else wrote, unmodified, each through everything that is asked of a client. */
import { aiSdk } from './ai-sdk.ts'
import { describeClients } from './client-suite.ts'
import { langchain } from './langchain.ts'
import { mcpRemote } from './mcp-remote.ts'
import { officialV1, officialV1Sse } from './official-v1.ts'
import { officialV2 } from './official-v2.ts'

describeClients([
  officialV2('auto', 'auto'),
  officialV2('pinned to 2026-07-28', { pin: '2026-07-28' }),
  ...['2025-11-25', '2024-11-05'].map((version) => officialV2(version, 'legacy', [version])),
  officialV1,
  officialV1Sse,
  mcpRemote(),
  mcpRemote('--protocol', 'auto'),
  mcpRemote('--transport', 'sse-only'),
  aiSdk(true),
  aiSdk(false),
  langchain,
])
