/** What following the log costs those who call: the same load with and without a console at the page Live, and whether that page keeps up. */
import { setTimeout as pause } from 'node:timers/promises'
import { chromium, type Browser, type Page } from 'playwright-core'
import { existsSync } from 'node:fs'
import { startGateway } from '../gateway-under-test.ts'
import { checkCall, runLoad, type LoadPlan, type LoadResult } from '../load.ts'
import { freshChats } from '../requests.ts'
import { atLeast, atMost, skipped, told, type Row } from '../rows.ts'
import type { Scenario } from '../scenario.ts'
import { median, round } from '../statistics.ts'
import { startVendor } from '../topology.ts'

const connections = 10
/** Each call is two records. */
const rate = 260
const key = 'tw_bench_viewer_0000000000000000'
const executablePath = '/usr/bin/chromium'
const headers = { authorization: `Bearer ${key}` }

export const live: Scenario = {
  name: 'live',
  async run(bench) {
    const vendor = await bench.keep(startVendor())
    const gateway = await bench.keep(
      startGateway({
        vendor: vendor.url,
        more: {
          keys: {
            bench: { principal: 'mara', consumer: 'bench', actor: 'bench-agent', secret: 'tw_bench_0123456789abcdefghijklmnop' },
            viewer: { principal: 'mara', secret: key, scopes: ['admin'] },
          },
          identity: { roles: { viewer: { people: ['mara'] } } },
        },
      }),
    )
    const request: LoadPlan['request'] = freshChats('bench-json', 'gateway', connections)
    await checkCall(gateway.url, request(0, 0), 'chatcmpl-bench')
    const load = (ms: number): Promise<LoadResult> => runLoad({ url: gateway.url, request, connections, rate, ms })
    await load(bench.pace.warmUpMs)
    const [alone, followed, browsed]: [number[], number[], number[]] = [[], [], []]
    const [perSecond, delays]: [number[], number[]] = [[], []]
    let gaps = 0
    let longest: number | undefined
    const hasBrowser = existsSync(executablePath)
    for (let at = 0; at < bench.pace.rounds; at += 1) {
      alone.push((await load(bench.pace.roundMs)).p99)
      const feed = await follow(gateway.url)
      followed.push((await load(bench.pace.roundMs)).p99)
      await pause(500)
      feed.stop()
      gaps += feed.gaps
      perSecond.push((feed.records / bench.pace.roundMs) * 1000)
      delays.push(median(feed.delays))
      if (!hasBrowser) continue
      const console = await openConsole(gateway.url)
      browsed.push((await load(bench.pace.roundMs)).p99)
      longest = Math.max(longest ?? 0, await console.longestTask())
      await console.browser.close()
    }
    const base = median(alone)
    const browser = 'there is no Chromium'
    const rows: Row[] = [
      atLeast('live: records a second that arrive', median(perSecond), 500, '1/s', `${gaps} gaps`),
      told('live: from its making to its arrival, p50', median(delays), 'ms', 'SQLite'),
      atMost('live: chat p99 while somebody follows, to without', median(followed) / base, 1.2, 'x', ms(base, median(followed))),
      longest === undefined
        ? skipped('live: chat p99 with the page in Chromium beside the load, to without', 'x', browser)
        : told(
            'live: chat p99 with the page in Chromium beside the load, to without',
            median(browsed) / base,
            'x',
            ms(base, median(browsed)),
          ),
      longest === undefined
        ? skipped('live: longest task of the page', 'ms', browser)
        : atMost('live: longest task of the page', longest, 100, 'ms', 'at 500 records a second'),
    ]
    return rows
  },
}

function ms(alone: number, followed: number): string {
  return `${round(followed, 2)} and ${round(alone, 2)} ms`
}

interface Followed {
  readonly records: number
  readonly gaps: number
  /** Milliseconds from the time a record says until it was here. */
  readonly delays: readonly number[]
  readonly stop: () => void
}

async function follow(url: string): Promise<Followed> {
  const stop = new AbortController()
  const answer = await fetch(`${url}/api/live`, { headers, signal: stop.signal })
  const seen = { records: 0, gaps: 0, delays: [] as number[], stop: () => stop.abort() }
  const read = async (): Promise<void> => {
    let rest = ''
    const decoder = new TextDecoder()
    for await (const bytes of answer.body ?? []) {
      const lines = `${rest}${decoder.decode(bytes as Uint8Array, { stream: true })}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (line === 'event: gap') seen.gaps += 1
        if (!line.startsWith('data: {"decisions"')) continue
        const { decisions } = JSON.parse(line.slice(6)) as { decisions: { record: { time: number } }[] }
        seen.records += decisions.length
        seen.delays.push(...decisions.map(({ record }) => Date.now() - record.time))
      }
    }
  }
  read().catch(() => {})
  return seen
}

async function openConsole(url: string): Promise<{ readonly browser: Browser; readonly longestTask: () => Promise<number> }> {
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'] })
  const page: Page = await browser.newPage({ extraHTTPHeaders: headers })
  await page.goto(`${url}/console/live`)
  await page.getByText('Following.').waitFor()
  await page.evaluate(
    `globalThis.longest = 0; new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => (longest = Math.max(longest, duration)))).observe({ type: 'longtask' })`,
  )
  return { browser, longestTask: () => page.evaluate('longest') }
}
