/** Dark squares as one path, in a square of `size` modules with its quiet zone. */
export type QrCodeProps = {
  size: number;
  path: string;
  /** What it leads to, in words. */
  label: string;
};

/** Black on white in both themes: cameras want that. */
export function QrCode({ size, path, label }: QrCodeProps) {
  return (
    <svg
      class="qr"
      role="img"
      aria-label={`QR code: ${label}`}
      viewBox={`0 0 ${size} ${size}`}
      shape-rendering="crispEdges"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
