/**
 * What `servers.*.network` means to a NetworkPolicy, which knows addresses and ports and no names. Pure.
 */
import { isIP } from 'node:net'
import { parseAuthority, type NetworkList } from './egress-rules.ts'

export interface PodEgress {
  readonly address: string
  readonly ports: readonly number[]
}

const defaultPorts = [80, 443]

/** Where a pod may go, in the order of the list. Entries that cannot be said so are in `podEgressProblems`. */
export function podEgress(network: NetworkList): readonly PodEgress[] {
  return network.flatMap((entry) => readAddress(entry) ?? [])
}

/** Entries that no NetworkPolicy can express, with why. */
export function podEgressProblems(network: NetworkList): readonly { readonly index: number; readonly why: string }[] {
  return network.flatMap((entry, index) =>
    readAddress(entry) === undefined
      ? [
          {
            index,
            why: 'a pod is let out by address and port alone, because a NetworkPolicy knows no names: write `ADDRESS` or `ADDRESS:PORT`',
          },
        ]
      : [],
  )
}

function readAddress(entry: NetworkList[number]): PodEgress | undefined {
  const text = typeof entry === 'string' ? entry : entry.host
  if (text === undefined) return undefined
  if (isIP(text) !== 0) return { address: text, ports: defaultPorts }
  const { host, port } = parseAuthority(text) ?? {}
  return host === undefined || port === undefined || isIP(host) === 0 ? undefined : { address: host, ports: [port] }
}
