/** What the gateway is called by others: for links, cookies and everything of OAuth. What a client says of it is never used. */
import type { Snapshot } from './snapshot.ts'

const anyAddress = new Set(['0.0.0.0', '::', '::0'])

/** `https://turnward.acme.example`, without a slash at its end: `listen.public_url`, else who we are in tokens of ours, else the address it listens at. */
export function publicUrl({ settings: { listen }, identity }: Pick<Snapshot, 'settings' | 'identity'>): string {
  const { host, port, tls } = listen
  const configured = listen.public_url ?? identity.oauth?.issuer
  if (configured !== undefined) return configured
  // Whoever is meant by every address is at this one.
  const name = anyAddress.has(host) ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host
  return `${tls === undefined ? 'http' : 'https'}://${name}:${port}`
}
