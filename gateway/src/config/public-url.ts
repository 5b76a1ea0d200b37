/** What the gateway is called by others: for links, cookies and everything of OAuth. What a client says of it is never used. */
import type { Snapshot } from './snapshot.ts'

/** `https://turnward.acme.example`, without a slash at its end: `listen.public_url`, else the address it listens at. */
export function publicUrl({ settings: { listen } }: Pick<Snapshot, 'settings'>): string {
  const { public_url: configured, host, port } = listen
  return configured ?? `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
