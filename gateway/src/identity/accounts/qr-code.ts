/** A QR code as a drawing in the page itself: no script, no picture from elsewhere. */
import { encode } from 'uqr'
import { html, type Html } from '../browser/html.ts'

const border = 2

export function qrCode(text: string, label: string): Html {
  const { data, size } = encode(text, { border })
  const squares = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])))
  return html`<svg class="qr" viewBox="0 0 ${size} ${size}" role="img" aria-label="${label}" shape-rendering="crispEdges">
    <rect width="${size}" height="${size}" fill="#fff" />
    <path d="${squares.join('')}" fill="#000" />
  </svg>`
}
