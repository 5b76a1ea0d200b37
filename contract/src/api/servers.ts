/** MCP servers and REST APIs of the configuration, and how they are: `/api/servers`. */
import { z } from 'zod'
import { timeSchema } from './shared.ts'

export const serverStateSchema = z.enum(['ready', 'asleep', 'starting', 'failed', 'idle']).meta({
  description: '`asleep`: its process is stopped because nobody used it; a call starts it. `idle`: it has not been started.',
})

/** Whether whoever asks has what a server wants of each person. */
export const ownLinkSchema = z
  .object({
    state: z.enum(['connected', 'missing']),
    url: z.string().nullable().meta({ description: 'The page where it is connected, changed or taken away; null for who is no person.' }),
  })
  .meta({ id: 'OwnLink' })

const sandboxSchema = z.object({
  runner: z.enum(['bubblewrap', 'process', 'docker', 'kubernetes']),
  isolates: z.boolean().meta({ description: 'False for `process`, which isolates nothing.' }),
  is_bounded: z.boolean().meta({ description: 'False while its memory and processes are not bounded as a whole.' }),
  per: z.string().meta({ description: '`replica`, `cluster` or `principal`: for whom there is one of it.' }),
  network: z.array(z.string()).meta({ description: 'Hosts and services it may reach; empty: none.' }),
  mounts: z.array(z.object({ path: z.string(), write: z.boolean() })),
})

export const shownServerSchema = z
  .object({
    server: z.string(),
    transport: z.enum(['stdio', 'http', 'openapi']),
    state: serverStateSchema,
    why: z.string().nullable().meta({ description: 'Why it is not ready, or which of its tools are missing; null when all is well.' }),
    since: timeSchema.meta({ description: 'Since when it is so; Unix milliseconds.' }),
    restarts: z.int().meta({ description: 'How often it was opened again, by the process that answers.' }),
    protocol: z
      .string()
      .nullable()
      .meta({ description: 'The version of MCP it spoke last; null for a REST API, and before it was reached.' }),
    tools: z.int(),
    held: z.int().meta({ description: 'Tools whose definitions wait for a review.' }),
    resources: z.int(),
    prompts: z.int(),
    gateways: z.array(z.string()).meta({ description: 'MCP gateways that show it.' }),
    pin: z.enum(['review', 'warn', 'off']),
    auth: z.string().meta({ description: 'How its requests are authenticated: `none`, `header`, `user`, …' }),
  })
  .meta({ id: 'Server' })

export const serversSchema = z.object({ servers: z.array(shownServerSchema) })

export const serverLineSchema = z
  .object({
    at: timeSchema,
    pid: z.int().nullable(),
    text: z.string().meta({ description: 'What it wrote, or what the gateway says; characters that nobody sees are spelled out.' }),
    of: z.enum(['server', 'gateway']),
  })
  .meta({ id: 'ServerLine' })

export const serverDetailSchema = shownServerSchema
  .extend({
    place: z.object({ source: z.string(), line: z.int() }).nullable().meta({ description: 'Where it is configured.' }),
    url: z.string().nullable().meta({ description: 'Address of a remote server or API, without what may be a secret in it.' }),
    sandbox: sandboxSchema.nullable().meta({ description: 'Of a server that is started here.' }),
    replica: z.string().nullable().meta({ description: 'Which replica runs it, where the cluster has it once and that is known.' }),
    link: ownLinkSchema.nullable().meta({ description: 'Where each person brings an account or a secret: that of who asks.' }),
    linked: z.int().nullable().meta({ description: 'How many people have brought one; for administrators.' }),
    lines: z.array(serverLineSchema).meta({ description: 'The last of what it wrote to stderr, where the process that answers keeps it.' }),
  })
  .meta({ id: 'ServerDetail' })

export const restartSchema = z
  .object({
    server: z.string(),
    ok: z.boolean(),
    processes: z.array(
      z.object({
        process: z.string(),
        outcome: z.string().nullable().meta({ description: '`ready`, or why not; null while it is at it.' }),
      }),
    ),
  })
  .meta({ id: 'Restart' })
