"""Times and judges feldspar and RTK on one scan; started by benchmarks/against_rtk.

Both run as processes of their own, in turn. RTK gets the projections with its own image axes: its rotation
axis is y, and (x, y, z) of feldspar's world is (x, -z, y) of RTK's, gantry = -angle. Its three filters
(weights, ramp, back-projection) are those of its FDK filter, run one after the other to be timed.
"""
import glob
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

THREADS = len(os.sched_getaffinity(0))
# pixels across, views, slices that RTK reconstructs (0: all), and feldspar's --fast
CASES = {"small": (256, 300, 0, "off"), "direct": (512, 600, 0, "off"), "merged": (1024, 1600, 32, "auto")}


def rtk_ramp(image):
    """RTK's ramp filter of an image, without apodisation or padding against truncation."""
    from itk import RTK as rtk

    ramp = rtk.FFTRampImageFilter.New()  # single precision images, double precision kernel
    ramp.SetInput(image)
    ramp.SetTruncationCorrection(0.0)
    ramp.SetHannCutFrequency(0.0)
    return ramp


def timed(pipeline_filter):
    """Seconds of running one ITK filter."""
    start = time.perf_counter()
    pipeline_filter.Update()
    return time.perf_counter() - start


def rtk_main(scan_json, folder, output, slices):
    """The RTK side, in a process of its own: reads the TIFFs, reconstructs, writes the volume."""
    import itk
    import numpy as np
    import tifffile
    from itk import RTK as rtk

    itk.MultiThreaderBase.SetGlobalDefaultNumberOfThreads(THREADS)
    scan = json.load(open(scan_json))
    views, detector = scan["views"], scan["detector"]
    nx, ny, nz = scan["volume"]["size"]
    voxel = scan["volume"]["voxel_size_mm"]
    sod, sdd = scan["source_object_distance_mm"], scan["source_detector_distance_mm"]
    pitch_u, pitch_v = detector["column_pitch_mm"], detector["row_pitch_mm"]
    nz = int(slices) or nz
    half = 0.5 * nz * voxel * sdd / (sod - 0.75 * nx * voxel) / pitch_v + 3  # rows that the slices need
    rows = min(detector["rows"], 2 * int(half + 1))
    first = (detector["rows"] - rows) // 2
    files = sorted(glob.glob(f"{folder}/*.tif"))
    start = time.perf_counter()
    stack = np.empty((views, rows, detector["columns"]), np.float32)
    for n, name in enumerate(files):
        counts = tifffile.imread(name)[::-1, ::-1][first : first + rows]  # as seen from the source, lowest row first
        stack[n] = -np.log(np.maximum(counts, 1) / np.float32(60000))
    read_s = time.perf_counter() - start
    geometry = rtk.ThreeDCircularProjectionGeometry.New()
    for n in range(views):
        angle = -n * 360 / views + 180  # feldspar's angle of view n
        geometry.AddProjection(sod, sdd, -angle)
    image = itk.image_view_from_array(stack)
    image.SetSpacing([pitch_u, pitch_v, 1])
    image.SetOrigin([-0.5 * (detector["columns"] - 1) * pitch_u, -0.5 * (rows - 1) * pitch_v, 0])
    empty = itk.image_from_array(np.zeros((ny, nz, nx), np.float32))  # RTK: x, y = our z, z = our -y
    empty.SetSpacing([voxel] * 3)
    empty.SetOrigin([-0.5 * (nx - 1) * voxel, -0.5 * (nz - 1) * voxel, -0.5 * (ny - 1) * voxel])
    kind = type(image)
    weight = rtk.FDKWeightProjectionFilter[kind].New()
    weight.SetInput(image)
    weight.SetGeometry(geometry)
    weight_s = timed(weight)
    ramp = rtk_ramp(weight.GetOutput())
    ramp_s = timed(ramp)
    back = rtk.FDKBackProjectionImageFilter[kind, kind].New()
    back.SetInput(0, empty)
    back.SetInput(1, ramp.GetOutput())
    back.SetGeometry(geometry)
    back_s = timed(back)
    volume = itk.array_view_from_image(back.GetOutput())  # [our -y][our z][x]
    np.save(output, np.ascontiguousarray(volume[::-1].transpose(1, 0, 2)))
    print(json.dumps({"read_s": read_s, "filter_s": weight_s + ramp_s, "back_projection_s": back_s,
                      "compute_s": weight_s + ramp_s + back_s}))


def rtk_filter_main(columns, rows, views):
    """Seconds of RTK's ramp filter on rows of `columns` pixels; the better of three."""
    import itk
    import numpy as np

    itk.MultiThreaderBase.SetGlobalDefaultNumberOfThreads(THREADS)
    stack = np.random.default_rng(1).random((int(views), int(rows), int(columns)), np.float32)
    print(min(timed(rtk_ramp(itk.image_view_from_array(stack))) for _ in range(3)))


def run(command):
    """Wall seconds, peak MiB and standard output of one process."""
    start = time.perf_counter()
    child = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=None, text=True)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024, output


def errors(volume, truth):
    """RMSE over the field of view, and inside the head where the truth is flat; both in 1/mm."""
    import numpy as np

    nz, ny, nx = truth.shape
    y, x = np.mgrid[0:ny, 0:nx]
    radius = np.hypot(x - (nx - 1) / 2, y - (ny - 1) / 2)[None]
    central = np.abs(np.arange(nz) - (nz - 1) / 2)[:, None, None] < nz / 4
    seen = np.broadcast_to((radius < 0.48 * nx) & central, truth.shape)
    flat = seen & (truth > 0) & (truth < 0.09)
    for axis in range(3):
        for step in (-2, -1, 1, 2):
            flat &= np.abs(np.roll(truth, step, axis) - truth) < 1e-6
    difference = volume - truth
    return {"all": float(np.sqrt(np.mean(difference[seen] ** 2))), "flat": float(np.sqrt(np.mean(difference[flat] ** 2))),
            "flat_bias": float(np.mean(difference[flat]))}


def print_row(name, median, error):
    print(f"{name:22}{median['wall_s']:9.2f}{median['filter_s']:9.2f}{median['back_projection_s']:9.2f}{median['peak_mib']:9.0f}"
          f"{error['all']:12.7f}{error['flat']:12.7f}{error['flat_bias']:13.7f}")


def spread(rows, key):
    """Ratios RTK / feldspar of the runs of one pair each: median, least, most."""
    ratios = [theirs[key] / ours[key] for ours, theirs in zip(rows["feldspar"], rows["RTK"])]
    return {"median": statistics.median(ratios), "range": [min(ratios), max(ratios)]}


def reconstruct(build, work, case, runs):
    """One case of the table, `runs` times in turn."""
    import h5py
    import numpy as np

    pixels, views, slices, fast = CASES[case]
    feldspar = build / "feldspar"
    simulate = [feldspar, "-q", "simulate", "shepp-logan", "--no-noise", "--no-blur"]
    coarse = 2 if slices else 1  # voxels across one of the truth's: it takes long to make
    truth_scan = work / ("coarse" if slices else "scan")
    run([*simulate, "-o", truth_scan, "--scale", f"{pixels // coarse}/256", "--views", 2 if slices else views, "--truth", work / "truth.h5"])
    if not (work / "scan").exists():
        run([*simulate, "-o", work / "scan", "--scale", f"{pixels}/256", "--views", views])
    info = json.loads(run([feldspar, "info", "--json", work / "scan"])[2])
    (work / "scan.json").write_text(json.dumps(info))
    nz, ny, nx = info["volume"]["size"][::-1]
    held = slice((nz - slices) // 2, (nz - slices) // 2 + slices) if slices else slice(0, nz)
    rows = {"feldspar": [], "RTK": []}
    for _ in range(runs):
        print(f"{time.strftime('%H:%M:%S')} the next pair", file=sys.stderr)
        (work / "ours.h5").unlink(missing_ok=True)
        wall, peak, text = run([feldspar, "recon", work / "scan", "-o", work / "ours.h5", "--json", "--threads", THREADS, "--fast", fast])
        ours = json.loads(text)
        rows["feldspar"].append({"wall_s": wall, "peak_mib": peak, "compute_s": ours["seconds"], "filter_s": ours["filter_s"],
                                 "back_projection_s": ours["back_projection_s"]})
        wall, peak, text = run([sys.executable, __file__, "--rtk", work / "scan.json", work / "scan", work / "rtk.npy", slices])
        theirs = json.loads(text)
        if slices:  # the time of all slices, from that of some: a voxel takes RTK as long anywhere
            theirs["back_projection_s"] *= nz / slices
        rows["RTK"].append({"wall_s": wall, "peak_mib": peak} | theirs)
    truth = h5py.File(work / "truth.h5")["entry/data/data"][slice(held.start // coarse, held.stop // coarse)]
    volumes = {"feldspar": h5py.File(work / "ours.h5")["entry/data/data"][held], "RTK": np.load(work / "rtk.npy")}
    if slices:  # what merging costs in accuracy, if anything
        run([feldspar, "recon", work / "scan", "-o", work / "ours.h5", "--overwrite", "--fast", "off",
             "--size", f"{nx},{ny},{slices}"])
        volumes["feldspar --fast off"] = h5py.File(work / "ours.h5")["entry/data/data"][...]
    result = {"case": case, "size": [nx, ny, nz], "views": views, "fast": fast, "slices_of_rtk": slices or nz, "programs": {}}
    print(f"Shepp-Logan, {views} views into {nx}x{ny}x{nz}, --fast {fast}, {THREADS} threads, {runs} runs in turn (medians)")
    if slices:
        print(f"RTK reconstructed {slices} slices from the rows they need: its back-projection is scaled up, its filtering, file to "
              "file time and memory are those of the slices alone. Errors are those of these slices, of means of 8 voxels.")
    print(f"{'':22}{'file/s':>9}{'filter/s':>9}{'back/s':>9}{'peak MiB':>9}{'RMSE':>12}{'RMSE flat':>12}{'bias flat':>13}")
    for name, volume in volumes.items():
        error = errors(volume.reshape(len(truth), coarse, len(truth[0]), coarse, -1, coarse).mean((1, 3, 5)), truth)
        entry = result["programs"][name] = {"error_per_mm": error}
        if name in rows:
            median = {key: statistics.median(r[key] for r in rows[name]) for key in rows[name][0]}
            entry |= {"median": median, "runs": rows[name]}
            print_row(name, median, error)
        else:
            print(f"{name:58}{error['all']:12.7f}{error['flat']:12.7f}{error['flat_bias']:13.7f}")
    keys = {"back-projection": "back_projection_s"} | ({} if slices else {"file to file": "wall_s", "reconstruction": "compute_s"})
    result["ratio"] = {name: spread(rows, key) for name, key in keys.items()}
    updates = nx * ny * nz * views * 1e-9
    for name in rows:
        result["programs"][name]["gups"] = updates / result["programs"][name]["median"]["back_projection_s"]
    print("GUPS of the whole box: " + ", ".join(f"{name} {result['programs'][name]['gups']:.2f}" for name in rows)
          + " (feldspar leaves out the corners beyond the field of view, 21 % of it; RTK does not)")
    return result


def filtering(build, runs):
    """The ramp filter on 32 projections of 256 rows of 2000 pixels."""
    pairs = []
    for _ in range(runs):
        text = run([build / "benchmarks/kernels_benchmark", "--benchmark_filter=filtering/cpu.*/2000", "--benchmark_format=json"])[2]
        ours = max(entry["Mpixel"] for entry in json.loads(text)["benchmarks"])
        seconds = float(run([sys.executable, __file__, "--rtk-filter", 2000, 256, 32])[2])
        pairs.append((ours, 32 * 256 * 2000 * 1e-6 / seconds))
    ratios = [ours / theirs for ours, theirs in pairs]
    result = {"case": "filter", "columns": 2000, "mpixel_per_s": {"feldspar": statistics.median(p[0] for p in pairs),
                                                                  "RTK": statistics.median(p[1] for p in pairs)},
              "ratio": {"filtering": {"median": statistics.median(ratios), "range": [min(ratios), max(ratios)]}}}
    print(f"Rows of 2000 pixels, {THREADS} threads: feldspar {result['mpixel_per_s']['feldspar']:.0f} Mpixel/s, weights included; "
          f"RTK {result['mpixel_per_s']['RTK']:.0f} Mpixel/s, the ramp alone")
    return result


def main(build, work, case, runs):
    result = filtering(build, runs) if case == "filter" else reconstruct(build, work, case, runs)
    for name, ratio in result["ratio"].items():
        print(f"{name}: {ratio['median']:.1f} times RTK's speed ({ratio['range'][0]:.1f} to {ratio['range'][1]:.1f})")
    print(json.dumps({"machine": platform.processor() or platform.machine(), "threads": THREADS} | result))


if __name__ == "__main__":
    if sys.argv[1] == "--rtk":
        rtk_main(*sys.argv[2:])
    elif sys.argv[1] == "--rtk-filter":
        rtk_filter_main(*sys.argv[2:])
    elif len(sys.argv) == 5 and sys.argv[3] in [*CASES, "filter"] and int(sys.argv[4]) > 0:
        main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        sys.exit("usage: benchmarks/against_rtk [small|direct|merged|filter [RUNS]]")
