import { expect, test } from 'vitest'
import { sandboxNetwork } from './sandbox-network.ts'

const service = (name: string, namedPort: number) => ({ host: 'db.example', port: 5432, private: true, name, namedPort })

test('every name has an address of its own, and every service the socket of its place in the list', () => {
  expect(sandboxNetwork([service('orders', 5432), service('stock', 5432), service('orders', 5433), service('127.0.0.1', 6379)])).toEqual({
    hosts: ['127.1.0.1 orders', '127.1.0.2 stock'],
    listeners: [
      { address: '127.1.0.1', port: 5432, socket: '0' },
      { address: '127.1.0.2', port: 5432, socket: '1' },
      { address: '127.1.0.1', port: 5433, socket: '2' },
      { address: '127.0.0.1', port: 6379, socket: '3' },
    ],
  })
})
