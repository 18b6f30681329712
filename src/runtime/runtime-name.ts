/** `Bun 1.4.4` or `Deno 2.9.6`. */
export function runtimeName(): string {
  const { Bun, Deno } = globalThis as { Bun?: { version: string }; Deno?: { version: { deno: string } } };
  if (Bun !== undefined) return `Bun ${Bun.version}`;
  return Deno === undefined ? `Node.js ${process.version}` : `Deno ${Deno.version.deno}`;
}
