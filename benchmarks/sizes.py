"""Runs the dense back-projection benchmarks and draws what they say; started by benchmarks/sizes."""
import json
import math
import subprocess
import sys

SERIES = {"dense_merged": ("merged", "#1b6ca8"), "dense_view_by_view": ("view by view", "#b8471b")}


def measure(program, instruction_set):
    """GUPS and merged views by name and size, each the best of three."""
    names = subprocess.run([program, "--benchmark_list_tests"], capture_output=True, text=True, check=True).stdout.split()
    devices = list(dict.fromkeys(name.split("/")[1] for name in names if name.startswith("dense_") and "/cpu:" in name))
    device = f"cpu:{instruction_set}" if instruction_set else max(devices, key=["cpu:baseline", "cpu:avx2", "cpu:avx512"].index)
    text = subprocess.run([program, f"--benchmark_filter=dense_.*/{device}/", "--benchmark_format=json",
                           "--benchmark_repetitions=3", "--benchmark_min_time=0.1"], capture_output=True, text=True, check=True).stdout
    best = {}
    for run in json.loads(text)["benchmarks"]:
        if run["run_type"] != "iteration":
            continue
        name, _, size = run["name"].split("/")[:3]
        entry = best.setdefault(name, {}).setdefault(int(size), {"gups": 0, "merged_views": int(run["merged_views"])})
        entry["gups"] = max(entry["gups"], run["GUPS"])
    return device, best


def draw(best, device, path):
    """A plot of GUPS over size, as SVG."""
    left, top, width, height = 60, 20, 480, 300
    sizes = sorted(best["dense_merged"])
    most = 5 * math.ceil(max(e["gups"] for series in best.values() for e in series.values()) / 5)
    x = lambda size: left + width * math.log2(size / sizes[0]) / math.log2(sizes[-1] / sizes[0])
    y = lambda gups: top + height * (1 - gups / most)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 120} {top + height + 55}" '
             'font-family="sans-serif" font-size="13"><rect width="100%" height="100%" fill="white"/>']
    for gups in range(0, most + 1, 5):
        parts.append(f'<path d="M{left} {y(gups):.1f}h{width}" stroke="#ddd"/><text x="{left - 8}" y="{y(gups) + 4:.1f}" '
                     f'text-anchor="end">{gups}</text>')
    for size in sizes:
        parts.append(f'<text x="{x(size):.1f}" y="{top + height + 20}" text-anchor="middle">{size}³</text>')
    parts.append(f'<text x="{left + width / 2}" y="{top + height + 42}" text-anchor="middle">voxels, from 1.6 views a column</text>'
                 f'<text x="16" y="{top + height / 2}" text-anchor="middle" transform="rotate(-90 16 {top + height / 2})">'
                 f'GUPS on {device}</text>')
    for name, (label, colour) in SERIES.items():
        points = [(x(size), y(best[name][size]["gups"])) for size in sizes]
        parts.append(f'<polyline points="{" ".join(f"{a:.1f},{b:.1f}" for a, b in points)}" fill="none" stroke="{colour}" '
                     'stroke-width="2"/>')
        parts += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{colour}"/>' for a, b in points]
        parts.append(f'<text x="{points[-1][0] + 10:.1f}" y="{points[-1][1] + 4:.1f}" fill="{colour}">{label}</text>')
    with open(path, "w") as file:
        file.write("\n".join(parts) + "\n</svg>\n")


def main(program, drawing, instruction_set=""):
    device, best = measure(program, instruction_set)
    print(f"Back-projection on {device} in GUPS (10^9 voxel updates a second, every view counted)")
    print(f"{'voxels':>8}{'view by view':>14}{'merged':>9}{'of views':>10}{'ratio':>7}")
    for size in sorted(best["dense_merged"]):
        one, merged = best["dense_view_by_view"][size], best["dense_merged"][size]
        print(f"{size:>7}³{one['gups']:>14.2f}{merged['gups']:>9.2f}{merged['merged_views']:>10}{merged['gups'] / one['gups']:>7.2f}")
    draw(best, device, drawing)
    print(json.dumps({"device": device, "gups": best}))


if __name__ == "__main__":
    main(*sys.argv[1:])
