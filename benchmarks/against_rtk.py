"""Times and judges feldspar and RTK on one scan; started by benchmarks/against_rtk.

Both run as processes of their own, in turn, file to file. RTK gets the projections with its own image
axes: its rotation axis is y, and (x, y, z) of feldspar's world is (x, -z, y) of RTK's, gantry = -angle.
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


def rtk_main(scan_json, folder, output):
    """The RTK side, in a process of its own: reads the TIFFs, reconstructs, writes the volume."""
    import itk
    import numpy as np
    import tifffile
    from itk import RTK as rtk

    itk.MultiThreaderBase.SetGlobalDefaultNumberOfThreads(THREADS)
    scan = json.load(open(scan_json))
    views, detector = scan["views"], scan["detector"]
    files = sorted(glob.glob(f"{folder}/*.tif"))
    start = time.perf_counter()
    stack = np.empty((views, detector["rows"], detector["columns"]), np.float32)
    for n, name in enumerate(files):
        counts = tifffile.imread(name)[::-1, ::-1]  # as seen from the source, lowest row first
        stack[n] = -np.log(np.maximum(counts, 1) / np.float32(60000))
    read_s = time.perf_counter() - start
    geometry = rtk.ThreeDCircularProjectionGeometry.New()
    for n in range(views):
        angle = -n * 360 / views + 180  # feldspar's angle of view n
        geometry.AddProjection(scan["source_object_distance_mm"], scan["source_detector_distance_mm"], -angle)
    image = itk.image_from_array(stack)
    pitch_u, pitch_v = detector["column_pitch_mm"], detector["row_pitch_mm"]
    image.SetSpacing([pitch_u, pitch_v, 1])
    image.SetOrigin([-0.5 * (detector["columns"] - 1) * pitch_u, -0.5 * (detector["rows"] - 1) * pitch_v, 0])
    nx, ny, nz = scan["volume"]["size"]
    voxel = scan["volume"]["voxel_size_mm"]
    empty = itk.image_from_array(np.zeros((ny, nz, nx), np.float32))  # RTK: x, y = our z, z = our -y
    empty.SetSpacing([voxel] * 3)
    empty.SetOrigin([-0.5 * (nx - 1) * voxel, -0.5 * (nz - 1) * voxel, -0.5 * (ny - 1) * voxel])
    kind = type(image)
    fdk = rtk.FDKConeBeamReconstructionFilter[kind].New()
    fdk.SetInput(0, empty)
    fdk.SetInput(1, image)
    fdk.SetGeometry(geometry)
    fdk.GetRampFilter().SetTruncationCorrection(0.0)
    fdk.GetRampFilter().SetHannCutFrequency(0.0)
    start = time.perf_counter()
    fdk.Update()
    compute_s = time.perf_counter() - start
    volume = itk.array_from_image(fdk.GetOutput())  # [our -y][our z][x]
    np.save(output, np.ascontiguousarray(volume[::-1].transpose(1, 0, 2)))
    print(json.dumps({"read_s": read_s, "compute_s": compute_s}))


def run(command):
    """Wall seconds, peak MiB and standard output of one process."""
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024, output


def errors(volume, truth, spacing):
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


def main(feldspar, work, runs):
    import h5py
    import numpy as np

    work = pathlib.Path(work)
    info = json.loads(subprocess.run([feldspar, "info", "--json", work / "scan"], check=True, capture_output=True, text=True).stdout)
    (work / "scan.json").write_text(json.dumps(info))
    rows = {"feldspar": [], "RTK": []}
    for _ in range(runs):
        (work / "ours.h5").unlink(missing_ok=True)
        wall, peak, text = run([feldspar, "recon", work / "scan", "-o", work / "ours.h5", "--json", "--threads", str(THREADS)])
        ours = json.loads(text)
        rows["feldspar"].append({"wall_s": wall, "peak_mib": peak, "compute_s": ours["seconds"], "filter_s": ours["filter_s"],
                                 "back_projection_s": ours["back_projection_s"]})
        wall, peak, text = run([sys.executable, __file__, "--rtk", work / "scan.json", work / "scan", work / "rtk.npy"])
        rows["RTK"].append({"wall_s": wall, "peak_mib": peak} | json.loads(text))
    truth = h5py.File(work / "truth.h5")["entry/data/data"][...]
    spacing = info["volume"]["voxel_size_mm"]
    volumes = {"feldspar": h5py.File(work / "ours.h5")["entry/data/data"][...], "RTK": np.load(work / "rtk.npy")}
    result = {"machine": platform.processor() or platform.machine(), "threads": THREADS, "size": info["volume"]["size"],
              "views": info["views"], "programs": {}}
    print(f"Shepp-Logan, {info['views']} views into {info['volume']['size']}, {THREADS} threads, {runs} runs in turn (medians)")
    print(f"{'':10}{'file to file':>14}{'reconstruction':>16}{'peak MiB':>10}{'RMSE all':>12}{'RMSE flat':>12}{'bias flat':>12}")
    for name, list_of_runs in rows.items():
        median = {key: statistics.median(r[key] for r in list_of_runs) for key in list_of_runs[0]}
        error = errors(volumes[name], truth, spacing)
        result["programs"][name] = {"median": median, "runs": list_of_runs, "error_per_mm": error}
        print(f"{name:10}{median['wall_s']:12.2f} s{median['compute_s']:14.2f} s{median['peak_mib']:10.0f}"
              f"{error['all']:12.6f}{error['flat']:12.6f}{error['flat_bias']:12.6f}")
    a, b = result["programs"]["feldspar"]["median"], result["programs"]["RTK"]["median"]
    pairs = [r["compute_s"] / o["compute_s"] for o, r in zip(rows["feldspar"], rows["RTK"])]
    result["ratio"] = {"file_to_file": b["wall_s"] / a["wall_s"], "reconstruction": b["compute_s"] / a["compute_s"],
                       "reconstruction_range": [min(pairs), max(pairs)]}
    print(f"RTK's time over feldspar's: file to file {result['ratio']['file_to_file']:.1f}, "
          f"reconstruction {result['ratio']['reconstruction']:.1f} ({min(pairs):.1f} to {max(pairs):.1f})")
    print(json.dumps(result))


if __name__ == "__main__":
    if sys.argv[1] == "--rtk":
        rtk_main(*sys.argv[2:5])
    else:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
