import { describe, expect, test } from 'vitest';
import { cleanFilename, filenameOf } from '../../src/worker/handlers/filename.ts';

describe('the name of a downloaded file', () => {
  test.each([
    ['https://files.example/a/b.mp4', undefined, 'b.mp4'],
    ['https://files.example/a/b/', undefined, 'b'],
    ['https://files.example/', undefined, 'download'],
    ['https://files.example/%2e%2e%2fetc%2fpasswd', undefined, 'passwd'],
    ['https://files.example/..%5C..%5Cboot.ini', undefined, 'boot.ini'],
    ['https://files.example/%E0%A4%A', undefined, '%E0%A4%A'],
    ['https://files.example/b.mp4', 'attachment', 'b.mp4'],
    ['https://files.example/b.mp4', 'attachment; filename=""', 'b.mp4'],
    ['https://files.example/b.mp4', 'attachment; filename=".."', 'b.mp4'],
    ['https://files.example/b.mp4', 'attachment; filename="/etc/passwd"', 'passwd'],
    ['https://files.example/b.mp4', 'attachment; filename="C:\\\\temp\\\\a.txt"', 'a.txt'],
    ['https://files.example/b.mp4', `attachment; filename="x.txt"; filename*=UTF-8''%C3%BC.txt`, 'ü.txt'],
    ['https://files.example/b.mp4', `inline; filename="${Buffer.from('ü.txt').toString('latin1')}"`, 'ü.txt'],
    ['https://files.example/b.mp4', 'inline; filename="\u00fc.txt"', 'ü.txt'],
    ['https://files.example/b.mp4', ';;;', 'b.mp4'],
  ])('of %s with the header %s is %s', (url, header, name) => {
    expect(filenameOf(url, header)).toBe(name);
  });

  test('loses control characters, marks that reverse text, lone surrogates and line separators', () => {
    expect(cleanFilename('a\u0000b\r\n\u007fc\u202egpj\ud800\u2028.exe')).toBe('abcgpj.exe');
  });

  test('of nothing but dots, spaces or invisible characters is none', () => {
    expect(['', '.', '..', '...', ' ', '/', '\u200b'].map(cleanFilename)).toEqual(Array.from({ length: 7 }, () => null));
  });

  test('has at most 200 bytes, whole characters and its extension', () => {
    const name = cleanFilename(`${'ü'.repeat(300)}.mp4`) ?? '';
    expect(name).toBe(`${'ü'.repeat(98)}.mp4`);
    expect(Buffer.byteLength(name)).toBe(200);
    expect(Buffer.byteLength(cleanFilename('🎬'.repeat(100)) ?? '')).toBe(200);
  });
});
